// What the pages gain with scripts; all of them work without.
"use strict";

// On small screens the menu folds away behind a button.
const button = document.querySelector(".menu-button");
if (button) {
  const body = document.getElementById(button.getAttribute("aria-controls"));
  const fold = (open) => {
    button.setAttribute("aria-expanded", String(open));
    body.classList.toggle("folded", !open);
  };
  button.hidden = false;
  fold(false);
  button.addEventListener("click", () => fold(button.getAttribute("aria-expanded") === "false"));
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && button.getAttribute("aria-expanded") === "true") {
      fold(false);
      button.focus();
    }
  });
}

// After a form with mistakes, reading starts at their summary.
document.getElementById("erreurs")?.focus();

// Copies the text of another element: <button data-copy="id">.
document.addEventListener("click", async (e) => {
  const b = e.target.closest("[data-copy]");
  if (!b) return;
  const from = document.getElementById(b.dataset.copy);
  await navigator.clipboard.writeText(from.value ?? from.textContent);
  const said = document.getElementById(b.dataset.copy + "-copie");
  if (said) said.textContent = "Copié.";
});
for (const b of document.querySelectorAll("[data-copy]")) b.hidden = !navigator.clipboard;
