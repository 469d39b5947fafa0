/* Icons (paths in a box of 16 × 16) and area patterns, the same on canvas and in legends. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  const SVG = "http://www.w3.org/2000/svg";

  const ICONS = {
    check: "M6.3 12.6 2.2 8.5l1.6-1.6 2.5 2.5 5.9-5.9 1.6 1.6z",
    warning: "M6.9 2.2h2.2v7.2H6.9zM6.9 11.2h2.2v2.4H6.9z",
    nobody:
      "M3.9 2.5 8 6.6l4.1-4.1 1.4 1.4L9.4 8l4.1 4.1-1.4 1.4L8 9.4l-4.1 4.1-1.4-1.4" +
      "L6.6 8 2.5 3.9z",
    star: "M8 1.4l2 4.4 4.8.6-3.5 3.3.9 4.8L8 12.1l-4.2 2.4.9-4.8L1.2 6.4 6 5.8z",
    question:
      "M6.9 11.6h2.2v2.2H6.9zM4.6 5.6C4.6 3.5 6.1 2.2 8 2.2s3.4 1.3 3.4 3.2" +
      "c0 2.4-2.3 2.6-2.3 4.9H6.9c0-3.1 2.3-3.3 2.3-4.8 0-.7-.5-1.2-1.2-1.2" +
      "s-1.2.5-1.2 1.3z",
    away:
      "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM8 3.3a4.7 4.7 0 1 0 0 9.4 4.7 4.7 0 0 0 0-9.4z" +
      "M7.2 4.6h1.6v3l2.1 1.2-.8 1.4-2.9-1.7z",
    start: "M4 1.5h1.6v13H4zM6.4 2.5H13l-2 2.7 2 2.8H6.4z",
    whole: "M1.5 1.5h5v2h-3v3h-2zM9.5 1.5h5v5h-2v-3h-3zM1.5 9.5h2v3h3v2h-5zM12.5 9.5h2v5h-5v-2h3z",
    search:
      "M6.8 1.5a5.3 5.3 0 1 0 3.2 9.5l3.3 3.3 1.2-1.2-3.3-3.3A5.3 5.3 0 0 0 6.8 1.5z" +
      "M6.8 3.3a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z",
  };

  /* An icon as an SVG element in the colour of the text round it. */
  gridsvc.icon = function (name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("class", "gridsvc-icon");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICONS[name]);
    path.setAttribute("fill", "currentColor");
    path.setAttribute("fill-rule", "evenodd");
    svg.append(path);
    return svg;
  };

  /* An icon on a canvas, its middle at x, y. */
  gridsvc.stamp = function (context, name, x, y, size, colour) {
    context.save();
    context.globalAlpha = 1;
    context.translate(x - size / 2, y - size / 2);
    context.scale(size / 16, size / 16);
    context.fillStyle = colour;
    context.fill(new Path2D(ICONS[name]), "evenodd");
    context.restore();
  };

  const SIDE = 8;
  const SHARPNESS = 2;
  const made = {};

  /* A fill for a canvas: drawn at twice its size, so that it stays sharp on phones. */
  gridsvc.pattern = function (kind, colour, tint) {
    if (kind === "solid") return tint || colour;
    const key = [kind, colour, tint].join();
    if (!made[key]) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = SIDE * SHARPNESS;
      const context = tile.getContext("2d");
      context.scale(SHARPNESS, SHARPNESS);
      context.fillStyle = tint;
      context.fillRect(0, 0, SIDE, SIDE);
      draw[kind](context, colour);
      made[key] = context.createPattern(tile, "repeat");
      made[key].setTransform(new DOMMatrix().scale(1 / SHARPNESS));
    }
    return made[key];
  };

  const draw = {
    stripes: function (context, colour) {
      context.strokeStyle = colour;
      context.lineWidth = 1.2;
      strokeRising(context);
    },
    cross: function (context, colour) {
      context.strokeStyle = colour;
      context.lineWidth = 1.2;
      strokeRising(context);
      context.translate(SIDE, 0);
      context.scale(-1, 1);
      strokeRising(context);
    },
    bars: function (context, colour) {
      context.fillStyle = colour;
      context.fillRect(1, 0, 1.6, SIDE);
    },
    dots: function (context, colour) {
      context.fillStyle = colour;
      for (const [x, y] of [[2, 2], [6, 6]]) {
        context.beginPath();
        context.arc(x, y, 1.4, 0, 2 * Math.PI);
        context.fill();
      }
    },
  };

  /* Three lines, so that the stripe meets itself at the corners of the tile. */
  function strokeRising(context) {
    context.beginPath();
    for (const shift of [-SIDE, 0, SIDE]) {
      context.moveTo(shift - 1, SIDE + 1);
      context.lineTo(shift + SIDE + 1, -1);
    }
    context.stroke();
  }
})();
