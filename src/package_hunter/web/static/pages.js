// What pages do beyond htmx: menu and filters are open where there is room, and a click copies what is to be copied.
"use strict";
(() => {
  const menu = document.querySelector("[data-menu]");
  const roomy = window.matchMedia("(min-width: 60rem)");
  const filters = document.querySelector("[data-filters]");
  const fit = () => {
    if (menu) menu.open = roomy.matches;
    if (filters && !location.search) filters.open = roomy.matches;
  };
  roomy.addEventListener("change", fit);
  fit();
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    if (source) navigator.clipboard.writeText(source.textContent.trim()).then(() => { button.textContent = "Copied"; });
  });
})();
