/* The panel beside the map: list to map, stairwell to card, and both to the address bar, so that
 * the browser's back button works. Text is only ever put in by textContent. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  if (!gridsvc || !gridsvc.map) return;
  const map = gridsvc.map;
  const byId = (id) => document.getElementById(id);
  const panel = byId("panel");
  const list = byId("list");
  const stairwell = byId("stairwell");
  const opener = byId("opener");
  const box = byId("map-box");
  const words = JSON.parse(box.dataset.words);
  const isNarrow = () => window.matchMedia("(max-width: 760px)").matches;
  const fields = {};
  for (const element of stairwell.querySelectorAll("[data-field]")) {
    fields[element.dataset.field] = element;
  }

  // ---- the sheet of phones

  function openSheet(open) {
    panel.classList.toggle("is-open", open);
    opener.setAttribute("aria-expanded", String(open));
    opener.textContent = open ? opener.dataset.close : opener.dataset.open;
  }
  opener.addEventListener("click", () => openSheet(!panel.classList.contains("is-open")));

  // ---- the address bar

  const address = () => new URL(location.href);

  function go(changes) {
    const url = address();
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href !== location.href) history.pushState(null, "", url);
  }

  window.addEventListener("popstate", () => follow(address(), { moves: true }));

  function follow(url, { moves }) {
    const compound = url.searchParams.get("compound");
    const row = compound && list.querySelector(`[data-compound="${CSS.escape(compound)}"]`);
    mark(row);
    if (row && moves) fit(row.dataset.box);
    const code = url.searchParams.get("stairwell");
    if (code) showStairwell(code, { moves: true });
    else showList();
  }

  // ---- list to map

  function fit(text) {
    const [xmin, ymin, xmax, ymax] = text.split(" ").map(Number);
    map.fitBounds([[ymin, xmin], [ymax, xmax]], { padding: [32, 32], maxZoom: 18 });
  }

  function mark(row) {
    for (const other of list.querySelectorAll("[aria-current]")) {
      other.removeAttribute("aria-current");
    }
    if (row) row.setAttribute("aria-current", "true");
  }

  list.addEventListener("click", function (event) {
    const row = event.target.closest("[data-box]");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    mark(row);
    if (isNarrow()) openSheet(false);
    fit(row.dataset.box);
    if (row.dataset.compound) go({ compound: row.dataset.compound, stairwell: "" });
    if (row.dataset.team && gridsvc.focusTeam) gridsvc.focusTeam(row.dataset.team);
  });

  document.addEventListener("gridsvc:team", function (event) {
    const { team } = event.detail;
    mark(team && list.querySelector(`[data-team="${CSS.escape(team)}"]`));
  });

  document.addEventListener("gridsvc:compound", function (event) {
    const { code } = event.detail;
    mark(list.querySelector(`[data-compound="${CSS.escape(code)}"]`));
    go({ compound: code, stairwell: "" });
  });

  const community = byId("community");
  if (community) {
    community.addEventListener("change", function () {
      const url = address();
      for (const name of ["compound", "stairwell", "community"]) url.searchParams.delete(name);
      if (community.value) url.searchParams.set("community", community.value);
      location.assign(url);
    });
  }

  /* What is not in the chosen community, and not counted in the words, turns pale. */
  function veil(code) {
    const chosen = gridsvc.layers.communities
      .getLayers()
      .find((layer) => String(layer.feature.properties.code) === code);
    if (!chosen) return;
    const everywhere = [[-85, -180], [-85, 180], [85, 180], [85, -180]];
    const rings = chosen.getLatLngs().flat(chosen.feature.geometry.type === "Polygon" ? 0 : 1);
    L.polygon([everywhere, ...rings], {
      pane: "marks",
      interactive: false,
      smoothFactor: 0,
      color: "#0b6e99",
      weight: 2.5,
      fillColor: "#f7f8fa",
      fillOpacity: 0.62,
    }).addTo(map);
  }

  // ---- stairwell to card

  let asked = 0;
  let ring = null;

  document.addEventListener("gridsvc:stairwell", function (event) {
    // The card in the panel says more than the popup.
    map.closePopup();
    go({ stairwell: event.detail.code });
    showStairwell(event.detail.code, { moves: false });
  });

  byId("back").addEventListener("click", function () {
    go({ stairwell: "" });
    showList();
  });

  function showList() {
    asked += 1;
    if (ring) ring.remove();
    ring = null;
    stairwell.hidden = true;
    list.hidden = false;
  }

  async function showStairwell(code, { moves }) {
    const mine = (asked += 1);
    list.hidden = true;
    stairwell.hidden = false;
    openSheet(true);
    byId("stairwell-card").hidden = true;
    byId("stairwell-state").textContent = words.loading;
    const card = await read(code);
    if (mine !== asked) return;
    byId("stairwell-state").textContent = card ? "" : words.failed;
    if (!card) return;
    fill(card);
    byId("stairwell-card").hidden = false;
    point(card.stairwell, moves);
  }

  async function read(code) {
    try {
      const answer = await fetch(`/api/v1/stairwells/${encodeURIComponent(code)}/card`, {
        headers: { Accept: "application/json" },
      });
      if (answer.status === 401) location.reload();
      const text = await answer.text();
      return answer.ok ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  function point(place, moves) {
    const spot = L.latLng(place.lat, place.lon);
    if (ring) ring.remove();
    ring = L.circleMarker(spot, {
      pane: "marks",
      radius: 22,
      color: "#0b6e99",
      weight: 3,
      fill: false,
      interactive: false,
    }).addTo(map);
    if (moves) map.setView(spot, Math.max(map.getZoom(), 18), { animate: false });
    // On a phone the sheet covers the lower part of the map.
    const covered = isNarrow() ? panel.getBoundingClientRect().top : window.innerHeight;
    const hidden = box.getBoundingClientRect().bottom - covered;
    map.panInside(spot, { paddingTopLeft: [24, 72], paddingBottomRight: [24, Math.max(hidden, 0) + 24] });
  }

  function fill(card) {
    const { stairwell: place, contact } = card;
    put("title", [place.compound_name, place.building_name, place.name].join(" "));
    put("code", place.code);
    put("nobody", contact ? null : fields.nobody.textContent);
    put("name", contact && contact.name);
    put("party", contact && contact.is_party_member ? fields.party.textContent : null);
    put("phone", contact && contact.phone_masked);
    put("tier", contact && words[contact.tier]);
    put("distance", contact && distance(contact));
    put("since", contact && contact.since);
    put("households", place.household_count);
    put("incidents", card.incident_count);
  }

  function distance(contact) {
    if (contact.tier === "own_stairwell") return words.here;
    return words.metres.replace("{n}", contact.distance_m.toLocaleString("en"));
  }

  /* A field without a value disappears, and with it its row. */
  function put(name, value) {
    const field = fields[name];
    const isEmpty = value === null || value === undefined || value === "";
    field.hidden = isEmpty;
    const row = field.closest("dl > div");
    if (row && name !== "party") row.hidden = isEmpty;
    if (!isEmpty && !field.querySelector("svg")) field.textContent = String(value);
  }

  // ---- a whole sub-district of patrols: from afar stops are dots, near by they are numbers

  const NUMBERS_FROM_ZOOM = 16;
  const MANY_STOPS = 80;

  function thinOut() {
    const isFar = map.getZoom() < NUMBERS_FROM_ZOOM && gridsvc.features.stops > MANY_STOPS;
    box.classList.toggle("is-far", isFar);
  }

  // ---- start

  map.on("zoomend", thinOut);
  thinOut();

  const language = document.querySelector(".language");
  language.addEventListener("click", function () {
    const url = address();
    url.searchParams.set("lang", new URL(language.href).searchParams.get("lang"));
    language.href = url.href;
  });

  if (address().searchParams.get("community")) veil(address().searchParams.get("community"));
  if (box.dataset.box) fit(box.dataset.box);
  follow(address(), { moves: false });
})();
