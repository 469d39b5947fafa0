/* Takes the login code from behind the # of the address, which browsers never send, and signs in
 * without leaving the page. Without this script the form does the same by itself. */
(function () {
  "use strict";

  const form = document.getElementById("login");
  const field = document.getElementById("code");
  const fault = document.getElementById("fault");
  const button = form.querySelector("button");

  async function signIn() {
    button.disabled = true;
    fault.hidden = true;
    try {
      const answer = await fetch("/api/v1/session", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ code: field.value.trim() }),
      });
      await answer.text(); // unread, it would keep the connection busy
      if (answer.ok) return location.replace(form.dataset.goal);
      // 422: a code that is too short to be one.
      say([401, 422].includes(answer.status) ? form.dataset.wrong : form.dataset.failed);
    } catch {
      say(form.dataset.failed);
    }
  }

  function say(words) {
    fault.textContent = words;
    fault.hidden = false;
    button.disabled = false;
    field.focus();
    field.select();
  }

  form.addEventListener("submit", function (event) {
    event.preventDefault();
    signIn();
  });

  function takeFragment() {
    const code = decodeURIComponent(location.hash.slice(1));
    if (!code) return;
    // Neither the history nor a screenshot keeps it.
    history.replaceState(null, "", location.pathname + location.search);
    field.value = code;
    signIn();
  }

  window.addEventListener("hashchange", takeFragment);
  takeFragment();
  if (!field.value) field.focus();
})();
