/* Vector tiles of ours: sharp on phones, patterned, clickable, counted. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;

  // VectorGrid 1.3.0 calls this on a click; Leaflet 1.9 has dropped it. Nothing is left for it to
  // do: Leaflet marks its canvases, and the map ignores the events of their elements by itself.
  if (!L.DomEvent.fakeStop) L.DomEvent.fakeStop = function () {};

  const Renderer = L.Canvas.Tile.extend({
    initialize: function (coords, size, options) {
      L.Canvas.Tile.prototype.initialize.call(this, coords, size, options);
      const sharpness = Math.min(window.devicePixelRatio || 1, 2);
      this._container.width = size.x * sharpness;
      this._container.height = size.y * sharpness;
      this._ctx.scale(sharpness, sharpness);
    },
    // Where an event is, in the tile's own pixels: between two zoom levels tiles are scaled, which
    // VectorGrid's own arithmetic does not know.
    _placeOf: function (event) {
      const box = this._container.getBoundingClientRect();
      return L.point(event.clientX - box.left, event.clientY - box.top)
        .multiplyBy(this._size.x / box.width);
    },
    // VectorGrid's own swallows clicks beside its features: popups would not close.
    _onClick: function (event) {
      if (!this._map) return;
      const point = this._placeOf(event);
      let hit = null;
      for (const layer of Object.values(this._layers)) {
        if (!layer.options.interactive || !layer._containsPoint(point)) continue;
        if (event.type !== "click" || !this._map._draggableMoved(layer)) hit = layer;
      }
      this._fireEvent(hit ? [hit] : false, event);
    },
    _onMouseMove: function (event) {
      if (!this._map || this._map.dragging.moving() || this._map._animatingZoom) return;
      this._handleMouseHover(event, this._placeOf(event));
    },
  });

  const Tiles = L.VectorGrid.Protobuf.extend({
    _getVectorTilePromise: function (coords) {
      return L.VectorGrid.Protobuf.prototype._getVectorTilePromise
        .call(this, coords)
        .catch(() => ({ layers: [] }))
        .then(function (tile) {
          // An array where layers should be: VectorGrid's sign for an answer that was no tile.
          if (Array.isArray(tile.layers)) {
            gridsvc.failed += 1;
            gridsvc.note(gridsvc.words.tiles_failed);
          }
          return tile;
        });
    },
  });

  /* drawing: key, url, bounds, minZoom, style or by + styles + farStyles + nearZoom, clickable */
  gridsvc.tiles = function (drawing) {
    const codes = (gridsvc.codes[drawing.key] = new Set());
    gridsvc.features[drawing.key] = 0;
    const styleOf = function (properties, zoom) {
      const style = styleAt(drawing, properties, zoom);
      if (!style) return [];
      codes.add(properties.code || properties.id);
      gridsvc.features[drawing.key] = codes.size;
      return style;
    };
    const layer = new Tiles(drawing.url, {
      pane: drawing.clickable ? "grids" : "tilePane",
      zIndex: drawing.order,
      minZoom: drawing.minZoom,
      maxZoom: 20,
      keepBuffer: 1,
      // Nothing of ours lies outside: no need to ask for those tiles.
      bounds: drawing.bounds || undefined,
      interactive: drawing.clickable,
      rendererFactory: (coords, size, options) => new Renderer(coords, size, options),
      getFeatureId: (feature) => feature.properties.code || feature.properties.id,
      vectorTileLayerStyles: { [drawing.key]: styleOf },
    });
    gridsvc.layers[drawing.key] = layer;
    if (drawing.clickable) layer.on("click", (event) => select(layer, drawing, event));
    return layer;
  };

  /* Null for what is not drawn at this zoom. */
  function styleAt(drawing, properties, zoom) {
    if (!drawing.by) return Object.assign({ interactive: false }, drawing.style);
    const styles = zoom >= drawing.nearZoom ? drawing.styles : drawing.farStyles;
    const style = styles[properties[drawing.by]];
    if (style === null) return null;
    // Handled here: the map must not take the same click for one beside everything.
    return Object.assign({ interactive: drawing.clickable, bubblingMouseEvents: false }, gridsvc.style(style || drawing.style));
  }

  let selected = null;

  function select(layer, drawing, event) {
    const properties = event.layer.properties;
    if (selected) layer.resetFeatureStyle(selected);
    selected = properties.code;
    layer.setFeatureStyle(selected, (again, zoom) =>
      Object.assign(styleAt(drawing, again, zoom), { color: "#0b6e99", weight: 4, opacity: 1 })
    );
    gridsvc.popup(event.latlng, gridsvc.stairwellCard(properties));
    gridsvc.tell("stairwell", { code: properties.code });
  }
})();
