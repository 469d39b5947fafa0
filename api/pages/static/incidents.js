/* Work lists by keyboard (j, k, x, Enter), and filters that this browser keeps by a name. */
(function () {
  "use strict";

  const KEPT = "incident-filters";
  const rows = Array.from(document.querySelectorAll("#work tbody tr"));
  let here = -1;

  function go(to) {
    if (!rows.length) return;
    if (here >= 0) rows[here].classList.remove("here");
    here = Math.min(Math.max(to, 0), rows.length - 1);
    rows[here].classList.add("here");
    rows[here].querySelector("a").focus();
  }

  function isTyping(target) {
    return target.closest("input:not([type=checkbox]), textarea, select") !== null;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "j") go(here + 1);
    else if (event.key === "k") go(here - 1);
    else if (event.key === "x" && here >= 0) {
      const box = rows[here].querySelector("input[type=checkbox]");
      if (box) box.checked = !box.checked;
    } else return;
    event.preventDefault();
  });

  /* Filters are addresses: what is kept is their part after the question mark. */
  const saved = document.getElementById("saved");

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEPT) || "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }

  function write(filters) {
    localStorage.setItem(KEPT, JSON.stringify(filters));
    show(filters);
  }

  function show(filters) {
    const list = saved.querySelector("ul");
    list.replaceChildren(
      ...filters.map(function (one, index) {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = "/incidents?" + new URLSearchParams(one.query).toString();
        link.textContent = one.name;
        const remove = document.createElement("button");
        remove.type = "button";
        remove.className = "quiet";
        remove.textContent = "×";
        remove.setAttribute("aria-label", saved.dataset.remove + " " + one.name);
        remove.addEventListener("click", function () {
          write(filters.filter((_, at) => at !== index));
        });
        item.append(link, remove);
        return item;
      }),
    );
  }

  if (saved && window.localStorage) {
    saved.hidden = false;
    show(read());
    const field = saved.querySelector("input");
    saved.addEventListener("submit", function (event) {
      event.preventDefault();
      const name = field.value.trim();
      if (!name) return;
      field.value = "";
      const query = new URLSearchParams(location.search);
      query.delete("cursor");
      write(read().concat([{ name: name.slice(0, 40), query: query.toString() }]).slice(-20));
    });
  }
})();
