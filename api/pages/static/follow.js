/* Takes the secret of a report's link from behind the #, which browsers never send, and posts it
 * once; a cookie carries it on. And copies the link. */
(function () {
  "use strict";

  function takeFragment() {
    const code = location.hash.slice(1);
    if (!/^[A-Za-z0-9_-]{54}$/.test(code)) return;
    // Neither the history nor a screenshot keeps it.
    history.replaceState(null, "", location.pathname + location.search);
    const form = document.createElement("form");
    form.method = "post";
    form.action = "/report/follow";
    const csrf = document.querySelector("input[name=csrf]");
    for (const [name, value] of [["code", code], ["csrf", csrf ? csrf.value : ""]]) {
      const field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  }
  window.addEventListener("hashchange", takeFragment);
  takeFragment();

  const copy = document.getElementById("copy");
  if (!copy) return;
  const link = document.getElementById("link");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    link.select();
    try {
      await navigator.clipboard.writeText(link.value);
    } catch {
      document.execCommand("copy");
    }
    copy.textContent = copy.dataset.done;
  });
})();
