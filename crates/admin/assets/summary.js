// The line that says how things are, the totals, and a square for each plugin.

import { byId, mark, make, say, show } from "./dom.js";
import { count, percent, short } from "./format.js";
import { ill, serves, toneOf, wordOf } from "./states.js";
import * as store from "./store.js";

/** Fewer are seen at a glance in the table. */
const SQUARES_FROM = 13;

const squares = new Map();

function headline() {
  const statuses = store.all().map((entry) => entry.status);
  const serving = statuses.filter(serves).length;
  const sick = statuses.filter(ill).length;
  const total = statuses.length;
  const text = total === 0
    ? "No plugins"
    : serving === total
      ? total === 1 ? "The plugin serves" : `All ${total} plugins serve`
      : `${serving} of ${count(total, "plugin")} ${serving === 1 ? "serves" : "serve"}`;
  say(byId("serving"), text);
  say(byId("ill"), `${sick} ${sick === 1 ? "is" : "are"} ill`);
  show(byId("ill"), sick > 0);
  say(byId("total-failures"), short(statuses.reduce((sum, status) => sum + status.failures, 0)));
  document.title = sick > 0 ? `(${sick} ill) Outrigger` : "Outrigger";
}

function totals() {
  let [calls, errors, flying, known] = [0, 0, 0, false];
  for (const { sample } of store.all()) {
    if (!sample) continue;
    known = true;
    calls += sample.callsPerSecond;
    errors += sample.callsPerSecond * (sample.errorShare ?? 0);
    flying += sample.inFlight;
  }
  say(byId("total-calls"), short(known ? Math.round(calls * 10) / 10 : null));
  say(byId("total-errors"), percent(calls > 0 ? errors / calls : null));
  say(byId("total-in-flight"), short(known ? flying : null));
}

function colour(name) {
  const square = squares.get(name);
  const entry = store.get(name);
  if (!square || !entry) return;
  mark(square, "tone", toneOf(entry.status.state));
  const title = `${name}: ${wordOf(entry.status.state)}`;
  if (square.title !== title) square.title = title;
}

function strip() {
  const entries = store.all();
  show(byId("strip"), entries.length >= SQUARES_FROM);
  if (entries.length < SQUARES_FROM) return;
  squares.clear();
  const made = entries.map(({ name }) => {
    const square = make("a");
    square.href = `#/plugins/${encodeURIComponent(name)}`;
    square.tabIndex = -1;
    squares.set(name, square);
    return square;
  });
  byId("strip").replaceChildren(...made);
  for (const { name } of entries) colour(name);
}

export function summary() {
  store.on("set", () => (headline(), strip(), totals()));
  store.on("changed", (names) => (headline(), names.forEach(colour)));
  store.on("sample", totals);
}
