// What is said to those who do not look: changes of state for screen readers, and the
// results of actions whose dialog was closed.

import { byId, make, say } from "./dom.js";
import { wordOf } from "./states.js";
import * as store from "./store.js";

/** Changes within this time are said together. */
const TOGETHER = 1_000;
const MOST = 3;
const TOAST = 8_000;

const moved = new Map();
let timer = null;

function speak() {
  timer = null;
  const all = [...moved];
  moved.clear();
  const text = all.length > MOST
    ? `${all.length} plugins changed their state`
    : all.map(([name, state]) => `${name} is ${wordOf(state)}`).join(", ");
  say(byId("spoken"), text);
}

/** A line at the edge of the page, for a while. */
export function toast(text, tone) {
  const node = make("p", "toast tone");
  node.dataset.tone = tone;
  node.append(make("i"), make("span", "", text));
  byId("toasts").append(node);
  setTimeout(() => node.remove(), TOAST);
}

export function announce() {
  store.on("moved", ({ name, to }) => {
    moved.set(name, to);
    timer ??= setTimeout(speak, TOGETHER);
  });
}
