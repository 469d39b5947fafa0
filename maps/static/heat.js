/* The smooth surface: leaflet.heat, with a reach that follows the cells and not the screen. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  const LEAST_PX = 10;
  // leaflet.heat draws its brush 200 px outside the canvas: a wider one would show its own edge.
  const MOST_PX = 64;

  const Surface = L.HeatLayer.extend({
    onAdd: function (map) {
      this._fit(map);
      L.HeatLayer.prototype.onAdd.call(this, map);
      map.on("zoomend", this._refit, this);
    },
    onRemove: function (map) {
      map.off("zoomend", this._refit, this);
      L.HeatLayer.prototype.onRemove.call(this, map);
    },
    // leaflet.heat pales every point below maxZoom, and the layer control greys the layer out
    // above it: so maxZoom is the present zoom, and only while it draws.
    _redraw: function () {
      if (!this._map) return;
      this.options.maxZoom = this._map.getZoom();
      L.HeatLayer.prototype._redraw.call(this);
      delete this.options.maxZoom;
    },
    _refit: function () {
      this._fit(this._map);
      this.redraw();
    },
    _fit: function (map) {
      const middle = map.getCenter();
      const east = L.latLng(middle.lat, middle.lng + this.options.sideDegrees);
      const side = map.project(east).x - map.project(middle).x;
      this.options.radius = Math.min(Math.max(side * 0.8, LEAST_PX), MOST_PX);
      this.options.blur = this.options.radius * 0.9;
      if (this._heat) this._updateOptions();
    },
  });

  gridsvc.heat = (points, options) => new Surface(points, options);
})();
