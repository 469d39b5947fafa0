/* Names on the map, those that fit: placed by rank, one that would cover another stays out. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  const shown = new Set();
  const GAP = 4;

  /* drawing: items [lat, lon, text] in order of rank, kind (a class), minZoom, maxZoom, rank */
  const Labels = L.Layer.extend({
    initialize: function (drawing) {
      this.drawing = drawing;
    },
    onAdd: function (map) {
      this._box = gridsvc.element("div", "leaflet-zoom-hide");
      map.getPane("labels").append(this._box);
      this._items = this.drawing.items.map(([lat, lon, text]) => {
        const element = gridsvc.element("span", "gridsvc-label gridsvc-label-" + this.drawing.kind);
        element.textContent = text;
        this._box.append(element);
        return { latlng: L.latLng(lat, lon), element: element };
      });
      for (const item of this._items) {
        item.width = item.element.offsetWidth;
        item.height = item.element.offsetHeight;
      }
      shown.add(this);
      map.on("moveend zoomend resize", place);
      place();
    },
    onRemove: function () {
      this._box.remove();
      shown.delete(this);
      if (gridsvc.map) place();
    },
  });

  gridsvc.labels = function (drawing) {
    return new Labels(drawing);
  };

  function place() {
    const map = gridsvc.map;
    const zoom = map.getZoom();
    const view = map.getBounds().pad(0.05);
    const taken = [];
    const layers = [...shown].sort((one, other) => one.drawing.rank - other.drawing.rank);
    for (const layer of layers) {
      const { minZoom, maxZoom } = layer.drawing;
      const wanted = zoom >= minZoom && zoom <= maxZoom;
      for (const item of layer._items) {
        const fits = wanted && view.contains(item.latlng) && fit(map, item, taken);
        item.element.classList.toggle("gridsvc-shown", fits);
      }
    }
  }

  function fit(map, item, taken) {
    const middle = map.latLngToLayerPoint(item.latlng);
    const corner = middle.subtract([item.width / 2, item.height / 2]).round();
    const box = L.bounds(corner.subtract([GAP, GAP]), corner.add([item.width + GAP, item.height + GAP]));
    if (taken.some((other) => other.overlaps(box))) return false;
    taken.push(box);
    L.DomUtil.setPosition(item.element, corner);
    return true;
  }
})();
