// What pages do beyond htmx: menu and filters are open where there is room, a click copies what is to be copied, a
// file is read into a field, and an invitation's secret goes from the address (behind #, which no server sees) into
// its form.
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
  const secret = document.querySelector("[data-fragment]");
  if (secret && location.hash.startsWith("#" + secret.dataset.fragment)) {
    secret.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname); // no bookmark, no screenshot of the address has it
    document.querySelector("[data-invitation]").hidden = true;
    document.querySelector("[data-invited]").hidden = false;
  }
  document.querySelectorAll("button[data-copy][hidden]").forEach((one) => { one.hidden = false; });
  for (const hint of document.querySelectorAll("[data-import]")) hint.hidden = false;
  document.addEventListener("change", async (event) => {
    const into = event.target.dataset?.file && document.getElementById(event.target.dataset.file);
    if (!into || !event.target.files[0]) return;
    into.value = await event.target.files[0].text();
    into.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    if (source) navigator.clipboard.writeText(source.textContent.trim()).then(() => { button.textContent = "Copied"; });
  });
})();
