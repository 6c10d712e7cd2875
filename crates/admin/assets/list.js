// The table of all plugins: filter, order, and rows that are kept.

import { byId, say, show } from "./dom.js";
import { eachSecond } from "./clock.js";
import { compare, falls } from "./order.js";
import { Row } from "./row.js";
import { ill, serves } from "./states.js";
import * as store from "./store.js";

const rows = new Map();
let [key, descending, shown] = ["state", false, "all"];

/** Which rows are on the screen: only their lines are drawn. */
const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const row = rows.get(target.dataset.instance);
    if (!row || row.seen === isIntersecting) continue;
    row.seen = isIntersecting;
    if (isIntersecting) row.sampled();
  }
}, { rootMargin: "200px" });

const GROUPS = {
  all: () => true,
  serving: serves,
  ill,
  other: (status) => !serves(status) && !ill(status),
};

function filter() {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const statuses = store.all().map((entry) => entry.status);
  let visible = 0;
  for (const row of rows.values()) {
    const text = row.text;
    const fits = GROUPS[shown](row.entry.status) && words.every((word) => text.includes(word));
    show(row.node, fits);
    if (fits) visible += 1;
  }
  for (const chip of document.querySelectorAll("[data-show]")) {
    say(chip.querySelector("b"), String(statuses.filter(GROUPS[chip.dataset.show]).length));
    chip.setAttribute("aria-pressed", String(chip.dataset.show === shown));
  }
  const empty = byId("empty");
  show(empty, visible === 0);
  say(empty, rows.size === 0
    ? "The host's settings name no plugin. Add a provider to them and apply them."
    : shown === "ill" && words.length === 0 ? "No plugin is ill." : "No plugin fits the filter.");
}

/** Puts rows in order, moving as few as possible. While somebody points at them or
 * has one focused they stay where they are. */
function order(forced = false) {
  const body = byId("rows");
  if (!forced && (body.matches(":hover") || body.contains(document.activeElement))) return;
  const sorted = [...rows.values()].sort((a, b) => compare(key, descending)(a.entry, b.entry));
  let at = body.firstElementChild;
  for (const { node } of sorted) {
    if (node === at) at = at.nextElementSibling;
    else body.insertBefore(node, at);
  }
}

function sort(by, turned) {
  descending = turned ?? (by === key ? !descending : falls(by));
  key = by;
  for (const button of document.querySelectorAll("[data-sort]")) {
    const is = button.dataset.sort === key;
    button.closest("th").setAttribute("aria-sort", is ? (descending ? "descending" : "ascending") : "none");
  }
  byId("sort").value = key;
  order(true);
}

function set() {
  const names = new Set(store.all().map((entry) => entry.name));
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    watcher.unobserve(row.node);
    row.node.remove();
    rows.delete(name);
  }
  for (const entry of store.all()) {
    if (rows.has(entry.name)) continue;
    const row = new Row(entry);
    rows.set(entry.name, row);
    watcher.observe(row.node);
  }
  order(true);
  filter();
}

/** Focuses the row after or before the one that has the focus. */
export function step(by) {
  const nodes = [...byId("rows").children].filter((node) => !node.hidden);
  if (nodes.length === 0) return;
  const at = nodes.indexOf(document.activeElement?.closest("tr"));
  const next = at < 0 ? (by > 0 ? 0 : nodes.length - 1) : Math.min(nodes.length - 1, Math.max(0, at + by));
  rows.get(nodes[next].dataset.instance).link.focus();
}

/** Focuses one row. */
export const focus = (name) => rows.get(name)?.link.focus();

export function list() {
  store.on("set", set);
  store.on("changed", (names) => {
    for (const name of names) rows.get(name)?.changed();
    order();
    filter();
  });
  store.on("sample", () => {
    for (const row of rows.values()) row.sampled();
    order();
  });
  eachSecond(() => rows.forEach((row) => row.tick()));
  byId("filter").addEventListener("input", filter);
  byId("sort").addEventListener("change", (event) => sort(event.target.value, falls(event.target.value)));
  byId("plugins").addEventListener("click", ({ target }) => {
    const head = target.closest("[data-sort]");
    if (head) return sort(head.dataset.sort);
    // The whole row is the link, unless somebody marks text.
    const row = target.closest("tbody tr");
    if (row && !target.closest("a") && getSelection().isCollapsed) row.querySelector("a").click();
  });
  for (const chip of document.querySelectorAll("[data-show]")) {
    chip.addEventListener("click", () => {
      shown = chip.dataset.show;
      filter();
    });
  }
  sort("state", false);
}
