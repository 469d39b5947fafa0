/* Lines that show which way they run: a white edge, the colour, arrow heads along it. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  const SPACING_PX = 90;
  const HEAD_PX = 7;

  gridsvc.ArrowLine = L.Polyline.extend({
    _updatePath: function () {
      const renderer = this._renderer;
      if (!renderer._drawing || !this._parts.length) return;
      const context = renderer._ctx;
      const { color, weight, opacity, dashes, shift } = this.options;
      context.save();
      // Teams that share a street lie side by side: a few pixels, the same at every zoom.
      context.translate(shift, shift);
      context.globalAlpha = opacity;
      context.lineCap = context.lineJoin = "round";
      trace(context, this._parts);
      context.lineWidth = weight + 4;
      context.strokeStyle = "#ffffff";
      context.stroke();
      context.lineWidth = weight;
      context.strokeStyle = color;
      context.setLineDash(dashes || []);
      context.stroke();
      context.setLineDash([]);
      for (const part of this._parts) drawHeads(context, part, color);
      context.restore();
    },
  });

  /* The same look in a legend. */
  gridsvc.drawArrowLine = function (context, points, colour) {
    const part = points.map(([x, y]) => L.point(x, y));
    context.lineCap = "round";
    trace(context, [part]);
    context.lineWidth = 4;
    context.strokeStyle = colour;
    context.stroke();
    drawHead(context, part[0], part[1], 0.55 * part[0].distanceTo(part[1]), colour);
  };

  function trace(context, parts) {
    context.beginPath();
    for (const part of parts) {
      part.forEach((point, at) => context[at ? "lineTo" : "moveTo"](point.x, point.y));
    }
  }

  function drawHeads(context, part, colour) {
    let next = SPACING_PX / 2;
    for (let at = 1; at < part.length; at += 1) {
      const length = part[at - 1].distanceTo(part[at]);
      for (; next <= length; next += SPACING_PX) {
        drawHead(context, part[at - 1], part[at], next, colour);
      }
      next -= length;
    }
  }

  function drawHead(context, from, to, along, colour) {
    const length = from.distanceTo(to);
    context.save();
    context.translate(
      from.x + ((to.x - from.x) * along) / length,
      from.y + ((to.y - from.y) * along) / length
    );
    context.rotate(Math.atan2(to.y - from.y, to.x - from.x));
    context.beginPath();
    context.moveTo(HEAD_PX, 0);
    context.lineTo(-HEAD_PX * 0.7, HEAD_PX * 0.8);
    context.lineTo(-HEAD_PX * 0.7, -HEAD_PX * 0.8);
    context.closePath();
    context.fillStyle = colour;
    context.strokeStyle = "#ffffff";
    context.lineWidth = 1.5;
    context.stroke();
    context.fill();
    context.restore();
  }
})();
