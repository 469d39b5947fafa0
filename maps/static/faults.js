/* Faults of a quality report: the piece that is wrong, and a disc that is seen from afar. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;

  /* On canvas, as the discs of frames.js are, but each answers its own click. */
  const FaultDisc = L.CircleMarker.extend({
    _project: function () {
      const zoom = this._map.getZoom();
      this._radius = zoom <= 13 ? 6 : zoom <= 15 ? 8 : 10;
      L.CircleMarker.prototype._project.call(this);
    },
    _updatePath: function () {
      L.CircleMarker.prototype._updatePath.call(this);
      const renderer = this._renderer;
      if (!renderer._drawing || this._empty()) return;
      const { icon, ink } = this.options;
      gridsvc.stamp(renderer._ctx, icon, this._point.x, this._point.y, this._radius * 1.25, ink);
    },
  });

  /* drawing: faults [{geometry, lat, lon, heading, rows, code}], style, mark */
  gridsvc.faults = function (drawing) {
    const discs = [];
    const layer = L.featureGroup();
    for (const fault of drawing.faults) {
      const open = () =>
        gridsvc.popup(
          [fault.lat, fault.lon],
          gridsvc.card(fault.heading, fault.rows, fault.code)
        );
      if (fault.geometry) {
        const piece = L.geoJSON(fault.geometry, {
          style: gridsvc.style(drawing.style),
          smoothFactor: 0,
        });
        layer.addLayer(piece.on("click", open));
      }
      const disc = new FaultDisc([fault.lat, fault.lon], drawing.mark);
      discs.push(disc.on("click", open));
    }
    discs.forEach((disc) => layer.addLayer(disc));
    // Another kind's areas, switched on later, would cover them.
    layer.on("add", () => setTimeout(() => layer._map && raise(discs)));
    gridsvc.count(layer, "faults", drawing.faults.length);
    return layer;
  };

  function raise(discs) {
    discs.forEach((disc) => disc.bringToFront());
  }
})();
