// Keeps times and the live connection honest on pages about bornes.
"use strict";
{
  // Elements with data-age count on by themselves from the age that the server
  // wrote; the reader's own clock doesn't matter.
  const born = new WeakMap();
  const word = (s) => {
    const [n, unit] = s < 60 ? [s, "s"] : s < 3600 ? [s / 60, "min"] : s < 86400 ? [s / 3600, "h"] : [s / 86400, "j"];
    return s < 1 ? "à l’instant" : `il y a ${Math.floor(n).toLocaleString("fr-FR")}\u00a0${unit}`;
  };
  const tick = () => {
    const now = performance.now();
    for (const e of document.querySelectorAll("time[data-age]")) {
      if (!born.has(e)) born.set(e, now - 1000 * Number(e.dataset.age));
      const text = word(Math.floor((now - born.get(e)) / 1000));
      if (e.textContent !== text) e.textContent = text;
    }
  };
  tick();
  setInterval(tick, 1000);

  // A stream ends once a minute and comes again at once. Only when it doesn't
  // come again does the page say so.
  const patience = 6000;
  let late = 0;
  const lost = () => document.querySelector(".live .lost");
  document.addEventListener("htmx:sseOpen", (e) => {
    e.target.closest(".live").dataset.open = "";
    clearTimeout(late);
    late = 0;
    if (lost()) lost().textContent = "";
  });
  // The hub refuses a stream to whoever may not see the page any more: the page
  // that it shows instead says what to do.
  const refused = async () => {
    const asked = new AbortController();
    const { status } = await fetch(document.querySelector("[sse-connect]").getAttribute("sse-connect"), { signal: asked.signal });
    asked.abort();
    if (status === 401 || status === 403) location.assign(document.querySelector(".live a").href);
  };
  const broken = (e) => {
    if (e.detail.source.readyState === EventSource.CLOSED) refused().catch(() => {}); // no answer: the hub is away
    if (late || !lost()) return;
    late = setTimeout(() => { lost().textContent = lost().dataset.lost; }, patience);
  };
  document.addEventListener("htmx:sseError", broken);
  document.addEventListener("htmx:sseClose", broken);

  // Each stream begins with all that the page has already. What stays the same
  // is left alone: what is selected in it, and what was read aloud from it.
  document.addEventListener("htmx:oobBeforeSwap", (e) => {
    const text = (element) => element.innerHTML.trim().replace(/ data-age="[^"]*">[^<]*</g, "><");
    if (text(e.detail.target) === text(e.detail.fragment)) e.detail.shouldSwap = false;
  });

  // The panel behind "Plus" closes like a menu.
  document.addEventListener("keydown", (e) => {
    const open = e.key === "Escape" && document.querySelector("details.more[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
}
