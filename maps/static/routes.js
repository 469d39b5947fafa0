/* Patrol routes: a layer a team, with its line, its numbered stops and its start post. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;
  const FLAGS_A_COLUMN = 10;
  const teams = [];
  let focus = null;

  /* drawing: team, colour, ink, dashes, shift_px, legs [[lat, lon]…], stops, start */
  gridsvc.route = function (drawing) {
    const lines = drawing.legs.map((leg) => line(drawing, leg));
    const stops = drawing.stops.map((stop) => numbered(drawing, stop));
    const posts = drawing.start ? [post(drawing)] : [];
    const layer = L.featureGroup([...lines, ...stops, ...posts]);
    gridsvc.count(layer, "routes", lines.length);
    gridsvc.count(layer, "stops", stops.length);
    gridsvc.count(layer, "posts", posts.length);
    const team = { name: drawing.team, layer: layer, lines: lines, marks: [...stops, ...posts] };
    teams.push(team);
    lines.forEach((each) => each.on("click", () => setFocus(focus === team ? null : team)));
    return layer;
  };

  function line(drawing, leg) {
    return new gridsvc.ArrowLine(leg, {
      color: drawing.colour,
      dashes: drawing.dashes,
      weight: 4,
      opacity: 1,
      smoothFactor: 1,
      shift: drawing.shift_px,
    });
  }

  function numbered(drawing, stop) {
    const words = gridsvc.words;
    const element = gridsvc.element("span", "gridsvc-stop", stop.sequence);
    const marker = mark(element, drawing, [stop.lat, stop.lon], stop.title);
    marker.on("click", function () {
      const rows = [
        [words.arrival, stop.arrival],
        [words.reason, stop.reason],
        [words.team, drawing.team],
      ];
      gridsvc.popup(marker.getLatLng(), gridsvc.card(stop.name || stop.title, rows, stop.title));
      gridsvc.tell("stop", { team: drawing.team, sequence: stop.sequence });
    });
    return marker;
  }

  function post(drawing) {
    const element = gridsvc.element("span", "gridsvc-post");
    element.append(gridsvc.icon("start"), gridsvc.element("b", "", drawing.team));
    const marker = mark(element, drawing, [drawing.start.lat, drawing.start.lon], drawing.team);
    marker.setZIndexOffset(500);
    // Teams that start from one post: their flags stand in columns under it.
    const { slot } = drawing.start;
    element.style.marginTop = (slot % FLAGS_A_COLUMN) * 30 + "px";
    element.style.marginLeft = Math.floor(slot / FLAGS_A_COLUMN) * 92 + "px";
    marker.on("click", function () {
      const rows = [[gridsvc.words.start_post, drawing.start.name]];
      gridsvc.popup(marker.getLatLng(), gridsvc.card(drawing.team, rows));
      setFocus(focus === byName(drawing.team) ? null : byName(drawing.team));
    });
    return marker;
  }

  function mark(element, drawing, place, title) {
    element.style.backgroundColor = drawing.colour;
    element.style.color = drawing.ink;
    return L.marker(place, {
      icon: L.divIcon({ html: element, className: "gridsvc-marker", iconSize: [0, 0] }),
      title: title,
      alt: title,
      riseOnHover: true,
    });
  }

  function byName(name) {
    return teams.find((team) => team.name === name);
  }

  /* One team in front, the others pale; null shows all alike. */
  function setFocus(team) {
    focus = team;
    for (const each of teams) {
      const opacity = !team || each === team ? 1 : 0.2;
      each.lines.forEach((one) => one.setStyle({ opacity: opacity }));
      each.marks.forEach((one) => one.setOpacity(opacity));
      if (each === team) each.lines.forEach((one) => one._map && one.bringToFront());
    }
    gridsvc.tell("team", { team: team ? team.name : null });
  }

  gridsvc.focusTeam = (name) => setFocus(byName(name) || null);
})();
