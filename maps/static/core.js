/* The page's one map: start, panes, popups, events and the count of what is drawn.
 *
 * window.gridsvc
 *   map       the Leaflet map
 *   features  number of features drawn, a layer key each; for tiles the number of distinct codes
 *   codes     for tiles the Set of those codes, a layer key each
 *   failed    number of tiles that did not arrive
 *   show      show({lat, lon, zoom}) moves the map there
 * Text of users is only ever put in by textContent.
 */
(function () {
  "use strict";

  const gridsvc = { map: null, features: {}, codes: {}, failed: 0, words: {}, layers: {} };
  window.gridsvc = gridsvc;

  // Tiles lie at 200, clickable areas at 400, stops at 600, popups at 700. A canvas takes the clicks of all that lies
  // under it, so whatever is only looked at lets them through.
  const PANES = {
    ground: { z: 150, clicks: false },
    areas: { z: 300, clicks: false },
    outlines: { z: 420, clicks: false },
    grids: { z: 450, clicks: true },
    marks: { z: 460, clicks: false },
    labels: { z: 590, clicks: false },
  };

  gridsvc.start = function (id, options, setup) {
    gridsvc.words = setup.words;
    const map = L.map(id, Object.assign({}, options, { attributionControl: false }));
    gridsvc.map = map;
    map.getContainer().setAttribute("aria-label", setup.words.map);
    for (const [name, pane] of Object.entries(PANES)) {
      const element = map.createPane(name);
      element.classList.add("gridsvc-pane-" + name);
      if (!pane.clicks) element.classList.add("gridsvc-passive");
      element.style.zIndex = pane.z;
    }
    L.control
      .zoom({
        position: "topright",
        zoomInTitle: setup.words.zoom_in,
        zoomOutTitle: setup.words.zoom_out,
      })
      .addTo(map);
    if (setup.attribution) {
      const attribution = L.control.attribution({ prefix: false, position: "bottomleft" });
      attribution.addTo(map).addAttribution(setup.attribution);
    }
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    const home = function () {
      if (setup.bounds) map.fitBounds(setup.bounds, { padding: [8, 8] });
      else map.setView([0, 0], map.getMinZoom());
    };
    home();
    addHomeButton(map, home);
    watchSize(map, home);
    map.on("popupopen", (event) => nameCloseButton(event.popup));
    map.on("zoomend resize", () => sayWhetherCrowded(map));
    sayWhetherCrowded(map);
    return map;
  };

  gridsvc.show = function (place) {
    gridsvc.map.setView([place.lat, place.lon], place.zoom || Math.max(gridsvc.map.getZoom(), 18));
  };

  /* Keep gridsvc.features true while a layer is switched on and off. */
  gridsvc.count = function (layer, key, number) {
    gridsvc.features[key] = gridsvc.features[key] || 0;
    layer.on("add", () => (gridsvc.features[key] += number));
    layer.on("remove", () => (gridsvc.features[key] -= number));
  };

  gridsvc.tell = function (name, detail) {
    document.dispatchEvent(new CustomEvent("gridsvc:" + name, { detail: detail }));
  };

  gridsvc.element = function (tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined && text !== null) made.textContent = String(text);
    return made;
  };

  /* A popup's content: a heading, then pairs of words and value; empty values are left out. */
  gridsvc.card = function (heading, rows, code) {
    const card = gridsvc.element("div", "gridsvc-card");
    card.append(gridsvc.element("h2", "", heading));
    const list = gridsvc.element("dl");
    for (const [label, value] of rows) {
      if (value === null || value === undefined || value === "") continue;
      list.append(gridsvc.element("dt", "", label), gridsvc.element("dd", "", value));
    }
    card.append(list);
    if (code) card.append(gridsvc.element("p", "gridsvc-code", code));
    return card;
  };

  gridsvc.popup = function (latlng, content) {
    L.popup({ maxWidth: 280, minWidth: 160, autoPanPadding: [12, 72] })
      .setLatLng(latlng)
      .setContent(content)
      .openOn(gridsvc.map);
  };

  /* A note at the foot of the map, for what went wrong. */
  gridsvc.note = function (text) {
    let note = document.querySelector(".gridsvc-note");
    if (!note) {
      note = gridsvc.element("p", "gridsvc-note");
      note.setAttribute("role", "status");
      gridsvc.map.getContainer().append(note);
    }
    note.textContent = text;
  };

  function addHomeButton(map, home) {
    const HomeButton = L.Control.extend({
      onAdd: function () {
        const bar = gridsvc.element("div", "leaflet-bar");
        const button = gridsvc.element("button", "gridsvc-button");
        button.type = "button";
        button.title = gridsvc.words.whole;
        button.setAttribute("aria-label", gridsvc.words.whole);
        button.append(gridsvc.icon("whole"));
        button.addEventListener("click", home);
        bar.append(button);
        L.DomEvent.disableClickPropagation(bar);
        return bar;
      },
    });
    new HomeButton({ position: "topright" }).addTo(map);
  }

  /* The page may give the map another size, or none at first; until the reader has moved it,
   * the map goes on showing the whole. */
  function watchSize(map, home) {
    let moved = false;
    map.on("dragstart zoomstart", () => (moved = map._loaded && !homing));
    let homing = false;
    new ResizeObserver(() => {
      map.invalidateSize({ pan: false });
      if (moved) return;
      homing = true;
      home();
      homing = false;
    }).observe(map.getContainer());
  }

  /* On a small screen seen from afar, marks go without their names (map.css). */
  function sayWhetherCrowded(map) {
    const crowded = map.getSize().x < 640 && map.getZoom() < 16;
    map.getContainer().classList.toggle("gridsvc-crowded", crowded);
  }

  function nameCloseButton(popup) {
    const button = popup.getElement().querySelector(".leaflet-popup-close-button");
    if (button) button.setAttribute("aria-label", gridsvc.words.close);
  }

  /* Leaflet has these words in English only. */
  const addLayers = L.Control.Layers.prototype.onAdd;
  L.Control.Layers.include({
    onAdd: function (map) {
      const container = addLayers.call(this, map);
      const toggle = container.querySelector(".leaflet-control-layers-toggle");
      toggle.title = gridsvc.words.layers;
      toggle.setAttribute("aria-label", gridsvc.words.layers);
      return container;
    },
  });
})();
