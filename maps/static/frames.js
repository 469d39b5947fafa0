/* Layers from a frame: areas and lines as GeoJSON on canvas, points as discs with an icon. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;

  /* Leaflet's path options from one of ours: a pattern becomes the fill. */
  gridsvc.style = function (style) {
    if (!style || !style.pattern) return style;
    return Object.assign({}, style, {
      fillColor: gridsvc.pattern(style.pattern, style.colour, style.tint),
    });
  };

  /* drawing: key, data (GeoJSON), style or by + styles, pane, card, labels, mark */
  gridsvc.frame = function (drawing) {
    const layer = drawing.mark ? marks(drawing) : areas(drawing);
    gridsvc.layers[drawing.key] = layer;
    gridsvc.count(layer, drawing.key, drawing.data.features.length);
    if (drawing.labels) {
      const labels = gridsvc.labels(drawing.labels);
      layer.on("add", () => labels.addTo(gridsvc.map));
      layer.on("remove", () => labels.remove());
    }
    return layer;
  };

  function areas(drawing) {
    const options = {
      pane: drawing.pane || "overlayPane",
      interactive: Boolean(drawing.card),
      // Else Leaflet thins out corners, and neighbouring cells no longer meet.
      smoothFactor: drawing.smooth || 0,
      style: (feature) =>
        gridsvc.style(
          drawing.by ? drawing.styles[feature.properties[drawing.by]] : drawing.style
        ),
    };
    const layer = L.geoJSON(drawing.data, options);
    if (drawing.card) {
      layer.on("click", function (event) {
        gridsvc.popup(event.latlng, cardOf(drawing.card, event.layer.feature.properties));
      });
    }
    return layer;
  }

  function cardOf(card, properties) {
    const rows = card.rows.map(([label, name]) => [label, properties[name]]);
    return gridsvc.card(properties[card.heading] || card.title, rows, properties.code);
  }

  /* Discs with an icon. On canvas, so that thousands are no burden; they grow with the zoom. */
  gridsvc.Disc = L.CircleMarker.extend({
    _project: function () {
      this._radius = radiusAt(this._map.getZoom()) + (this.options.widerBy || 0);
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

  function radiusAt(zoom) {
    return zoom <= 13 ? 5 : zoom <= 15 ? 7 : 9;
  }

  function marks(drawing) {
    const layer = L.geoJSON(drawing.data, {
      pane: "marks",
      interactive: false,
      pointToLayer: (feature, latlng) =>
        new gridsvc.Disc(latlng, Object.assign({ pane: "marks", interactive: false }, drawing.mark)),
    });
    // The pane lets clicks through to the grids below, so a click near a disc is found here.
    const open = (event) => openNearest(layer, drawing, event);
    layer.on("add", () => gridsvc.map.on("click", open));
    layer.on("remove", () => gridsvc.map.off("click", open));
    return layer;
  }

  function openNearest(layer, drawing, event) {
    const reach = radiusAt(gridsvc.map.getZoom()) + 6;
    let nearest = null;
    let least = reach;
    layer.eachLayer(function (disc) {
      const place = gridsvc.map.latLngToContainerPoint(disc.getLatLng());
      const distance = place.distanceTo(event.containerPoint);
      if (distance <= least) {
        nearest = disc;
        least = distance;
      }
    });
    if (!nearest) return;
    const properties = nearest.feature.properties;
    gridsvc.popup(nearest.getLatLng(), gridsvc.stairwellCard(properties));
    gridsvc.tell("stairwell", { code: properties.code });
  }

  /* The same card for a stairwell's polygon and for its mark. */
  gridsvc.stairwellCard = function (properties) {
    const words = gridsvc.words;
    const names = [properties.compound_name, properties.building_name, properties.name];
    return gridsvc.card(
      names.filter(Boolean).join(" ") || words.stairwell,
      [
        [words.contact, words[properties.state]],
        [words.households, properties.household_count],
      ],
      properties.code
    );
  };
})();
