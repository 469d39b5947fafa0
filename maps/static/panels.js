/* Panels on the map: headline, search, legend. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  const NARROW_PX = 640;
  const MOST_FOUND = 8;

  function panel(map, position, element) {
    const Panel = L.Control.extend({
      onAdd: function () {
        element.classList.add("gridsvc-panel");
        L.DomEvent.disableClickPropagation(element);
        L.DomEvent.disableScrollPropagation(element);
        return element;
      },
    });
    return new Panel({ position: position }).addTo(map);
  }

  gridsvc.headline = function (map, content) {
    const box = gridsvc.element("div", "gridsvc-headline");
    box.append(gridsvc.element("h1", "", content.title));
    if (content.detail) box.append(gridsvc.element("p", "", content.detail));
    panel(map, "topleft", box);
  };

  gridsvc.legend = function (map, content) {
    const box = gridsvc.element("details", "gridsvc-legend");
    box.open = map.getSize().x >= NARROW_PX;
    box.append(gridsvc.element("summary", "", content.title || gridsvc.words.legend));
    const list = gridsvc.element("ul");
    for (const line of content.lines) {
      const row = gridsvc.element("li");
      row.append(swatch(line.swatch), gridsvc.element("span", "gridsvc-words", line.label));
      if (line.count !== null) {
        row.append(gridsvc.element("span", "gridsvc-count", line.count.toLocaleString("en")));
      }
      list.append(row);
    }
    box.append(list);
    if (content.unit) box.append(gridsvc.element("p", "gridsvc-unit", content.unit));
    for (const remark of content.remarks) box.append(gridsvc.element("p", "", remark));
    panel(map, "bottomright", box);
  };

  /* Drawn on a canvas by the very patterns of the map. */
  function swatch(look) {
    const canvas = gridsvc.element("canvas", "gridsvc-swatch");
    const sharpness = 2;
    canvas.width = 28 * sharpness;
    canvas.height = 18 * sharpness;
    const context = canvas.getContext("2d");
    context.scale(sharpness, sharpness);
    context.strokeStyle = look.colour;
    context.lineWidth = look.shape === "outline" ? 2.5 : 1.5;
    if (look.shape === "area" || look.shape === "outline") {
      if (look.shape === "area") {
        context.fillStyle = gridsvc.pattern(look.pattern, look.colour, look.tint);
        context.fillRect(1.5, 1.5, 25, 15);
      }
      context.strokeRect(1.5, 1.5, 25, 15);
      if (look.icon) {
        context.fillStyle = "#ffffff";
        context.beginPath();
        context.arc(14, 9, 7, 0, 2 * Math.PI);
        context.fill();
        gridsvc.stamp(context, look.icon, 14, 9, 10, look.colour);
      }
    } else if (look.shape === "line") {
      gridsvc.drawArrowLine(context, [[2, 9], [26, 9]], look.colour);
    } else if (look.shape === "dot") {
      drawDot(context, look);
    }
    return canvas;
  }

  function drawDot(context, look) {
    context.fillStyle = look.colour;
    context.beginPath();
    context.arc(14, 9, 8, 0, 2 * Math.PI);
    context.fill();
    if (look.icon) gridsvc.stamp(context, look.icon, 14, 9, 10, look.tint);
    context.fillStyle = look.tint;
    context.font = "bold 10px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(look.text, 14, 9.5);
  }

  /* A search by name after the pattern of an ARIA combobox: type, choose, and the map goes there. */
  gridsvc.search = function (map, content) {
    const words = gridsvc.words;
    const box = gridsvc.element("div", "gridsvc-search");
    const field = gridsvc.element("input");
    Object.assign(field, { type: "search", placeholder: words.search, autocomplete: "off" });
    const list = gridsvc.element("ul");
    list.id = "gridsvc-found";
    list.hidden = true;
    setAll(list, { role: "listbox", "aria-label": words.compound });
    setAll(field, {
      role: "combobox",
      "aria-label": words.search,
      "aria-autocomplete": "list",
      "aria-controls": list.id,
      "aria-expanded": "false",
    });
    const row = gridsvc.element("div", "gridsvc-search-row");
    row.append(gridsvc.icon("search"), field);
    box.append(row, list);
    const state = { found: [], at: -1 };
    field.addEventListener("input", () => find(content.layer, field, list, state));
    field.addEventListener("focus", () => field.value && find(content.layer, field, list, state));
    field.addEventListener("keydown", (event) => onKey(event, field, list, state));
    list.addEventListener("click", function (event) {
      const option = event.target.closest("[role=option]");
      if (option) choose(state.found[Number(option.dataset.at)], field, list);
    });
    box.addEventListener("focusout", function (event) {
      if (!box.contains(event.relatedTarget)) close(field, list);
    });
    panel(map, "topleft", box);
  };

  function find(key, field, list, state) {
    const wanted = field.value.trim().toLowerCase();
    state.at = -1;
    state.found = [];
    if (!wanted) return close(field, list);
    gridsvc.layers[key].eachLayer(function (layer) {
      const place = layer.feature.properties.name.toLowerCase().indexOf(wanted);
      if (place >= 0) state.found.push({ layer: layer, place: place });
    });
    state.found.sort((one, other) => one.place - other.place);
    state.found.splice(MOST_FOUND);
    list.replaceChildren(...state.found.map(option));
    if (!state.found.length) {
      list.append(gridsvc.element("li", "gridsvc-nothing", gridsvc.words.not_found));
    }
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
  }

  function option(found, at) {
    const properties = found.layer.feature.properties;
    const item = gridsvc.element("li", "", properties.name);
    item.append(gridsvc.element("small", "", properties.community_name));
    item.id = "gridsvc-found-" + at;
    item.dataset.at = at;
    item.tabIndex = -1;
    setAll(item, { role: "option", "aria-selected": "false" });
    return item;
  }

  function onKey(event, field, list, state) {
    if (event.key === "Escape") return close(field, list);
    if (!state.found.length) return;
    if (event.key === "Enter") {
      choose(state.found[Math.max(state.at, 0)], field, list);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      state.at = (state.at + step + state.found.length) % state.found.length;
      [...list.children].forEach((item, at) =>
        item.setAttribute("aria-selected", String(at === state.at))
      );
      field.setAttribute("aria-activedescendant", "gridsvc-found-" + state.at);
      event.preventDefault();
    }
  }

  let frame = null;

  function choose(found, field, list) {
    const { layer } = found;
    const properties = layer.feature.properties;
    field.value = properties.name;
    close(field, list);
    field.blur();
    if (frame) frame.remove();
    frame = L.geoJSON(layer.feature, {
      pane: "outlines",
      interactive: false,
      style: { color: "#0b6e99", weight: 4, fill: false },
    }).addTo(gridsvc.map);
    gridsvc.map.fitBounds(layer.getBounds(), { padding: [48, 48], maxZoom: 18 });
    gridsvc.tell("compound", { code: properties.code });
  }

  function close(field, list) {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function setAll(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  }
})();
