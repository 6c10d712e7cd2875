// The theme: the system's, or light or dark where somebody chose. It runs before the
// first paint, so that nothing flashes.
"use strict";
(() => {
  const KEY = "outrigger.theme";
  const CHOICES = ["system", "light", "dark"];
  const root = document.documentElement;

  function chosen() {
    try {
      const kept = localStorage.getItem(KEY);
      return CHOICES.includes(kept) ? kept : "system";
    } catch {
      return "system"; // Storage may be closed to this page.
    }
  }

  function take(choice) {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    const button = document.getElementById("theme");
    if (!button) return;
    const text = choice === "system" ? "as the system has it" : choice;
    button.setAttribute("aria-label", `Theme: ${text}`);
    button.title = `Theme: ${text} (t)`;
  }

  take(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    let current = chosen();
    take(current);
    document.getElementById("theme").addEventListener("click", () => {
      current = CHOICES[(CHOICES.indexOf(current) + 1) % CHOICES.length];
      try {
        localStorage.setItem(KEY, current);
      } catch {
        // It holds until the page is closed.
      }
      take(current);
    });
  });
})();
