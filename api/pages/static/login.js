/* Takes the code from behind the # of the address, which browsers never send, and sends the form.
 * Without this script people type or paste the code. */
(function () {
  "use strict";

  const field = document.getElementById("code");
  const form = field.form;

  function takeFragment() {
    const code = location.hash.slice(1);
    if (!code) return;
    // Neither the history nor a screenshot keeps it.
    history.replaceState(null, "", location.pathname + location.search);
    field.value = code;
    form.submit();
  }

  window.addEventListener("hashchange", takeFragment);
  takeFragment();
})();
