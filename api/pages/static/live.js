// Tells the page of changes in its territory: the body gets the event "live", whose detail says
// what happened; parts of the page with hx-trigger="live from:body" then ask anew.
(() => {
  "use strict";
  let isFirst = true;
  const tell = (detail) => document.body.dispatchEvent(new CustomEvent("live", { detail }));
  const events = new EventSource("/api/v1/live");
  events.addEventListener("update", (event) => tell(JSON.parse(event.data)));
  events.addEventListener("again", () => {
    // The page was read just now; whatever comes later may have been missed.
    if (!isFirst) tell({ kind: "again" });
    isFirst = false;
  });
  // A role that may not listen is refused once; a lost connection is made anew by the browser.
  addEventListener("pagehide", () => events.close());
})();
