// What pages do beyond htmx: menu and filters are open where there is room, a click copies what is to be copied, a
// file is read into a field, an invitation's secret goes from the address (behind #, which no server sees) into its
// form, and a scan that runs is followed while somebody looks.
"use strict";
(() => {
  const menu = document.querySelector("[data-menu]");
  const roomy = window.matchMedia("(min-width: 60rem)");
  const filters = document.querySelector("[data-filters]");
  const fit = () => {
    if (menu) menu.open = roomy.matches;
    if (filters) filters.open = roomy.matches || document.querySelector("#problem .bad") !== null;
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
  let stream = null, soon = 0;
  const look = () => { soon = 0; document.querySelector("[data-follow]")?.dispatchEvent(new Event("news")); };
  const follow = () => {
    const path = !document.hidden && document.querySelector("[data-follow]")?.dataset.follow;
    if (stream && !path) stream = stream.close(); // a browser has few connections, and all tabs share them
    if (stream || !path) return;
    stream = new EventSource(path);
    for (const name of ["status", "step", "end"]) stream.addEventListener(name, () => { soon ||= setTimeout(look, 300); });
    stream.addEventListener("end", (event) => event.target.close());
  };
  document.addEventListener("visibilitychange", follow);
  follow();
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
