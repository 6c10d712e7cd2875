// Keys. None of them acts by itself: actions open their dialog.

import { byId, make } from "./dom.js";
import { shown } from "./detail.js";
import { step } from "./list.js";

const press = (selector) => {
  const node = [...document.querySelectorAll(selector)].find((one) => one.offsetParent !== null);
  node?.click();
};

const KEYS = [
  ["/", "filter plugins", () => filter()],
  ["j", "next plugin", () => shown() ?? step(1), "ArrowDown"],
  ["k", "previous plugin", () => shown() ?? step(-1), "ArrowUp"],
  ["Enter", "open a plugin", null],
  ["Escape", "back to all plugins, or out of a field", () => (location.hash = "#/")],
  ["r", "reload", () => press('[data-act="reload"]')],
  ["d", "dry run", () => press('[data-act="dry-run"]')],
  ["s", "stop or start", () => press('[data-act="stop"], [data-act="start"]')],
  ["f", "follow the log", () => press('[data-part="follow"]')],
  ["p", "pause the log", () => press('[data-part="pause"]')],
  ["t", "theme", () => byId("theme").click()],
  ["?", "this list", () => help()],
];

function filter() {
  const focus = () => byId("filter").focus();
  if (shown() === null) return focus();
  // It can be focused once it is on the page.
  addEventListener("hashchange", focus, { once: true });
  location.hash = "#/";
}

function help() {
  if (!byId("help").open) byId("help").showModal();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  // A dialog has keys of its own.
  if (document.querySelector("dialog[open]")) return;
  const { target } = event;
  if (target.matches("input, select, textarea")) {
    if (event.key === "Escape") {
      if (target.id === "filter" && target.value !== "") {
        target.value = "";
        target.dispatchEvent(new Event("input"));
      } else target.blur();
    }
    return;
  }
  const arrow = event.key.startsWith("Arrow");
  // Arrows scroll, but from row to row in the table.
  if (arrow && !target.closest?.("tbody")) return;
  const found = KEYS.find(([key, , , other]) => event.key === key || event.key === other);
  if (!found?.[2]) return;
  event.preventDefault();
  found[2]();
}

export function keys() {
  const list = byId("keys");
  for (const [key, text] of KEYS) {
    const entry = make("div");
    const term = make("dt");
    term.append(make("kbd", "", key));
    entry.append(term, make("dd", "", text));
    list.append(entry);
  }
  const dialog = byId("help");
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  byId("help-open").addEventListener("click", help);
  document.addEventListener("keydown", pressed);
}
