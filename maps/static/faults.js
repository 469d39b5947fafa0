/* Faults of a quality report: the piece that is wrong, and a disc that is seen from afar. */
(function () {
  "use strict";

  const gridsvc = window.gridsvc;

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
      // A pixel wider than the discs of stairwells, and each answers its own click.
      const mark = Object.assign({ widerBy: 1 }, drawing.mark);
      const disc = new gridsvc.Disc([fault.lat, fault.lon], mark);
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
