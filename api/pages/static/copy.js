// Copies a text; without a script, or where the browser refuses, it can be selected by hand.
(() => {
  "use strict";
  const show = () => document.querySelectorAll("[data-copy]").forEach((one) => { one.hidden = false; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const words = document.getElementById(button.dataset.copy);
    words.select();
    try {
      await navigator.clipboard.writeText(words.value);
    } catch {
      document.execCommand("copy");
    }
    button.textContent = button.dataset.copied;
  });
  document.body.addEventListener("htmx:afterSwap", show);
  show();
})();
