// The states of an instance and the kinds of events, in words and tones. A tone is the
// only thing on the page that has a colour.

const STATES = {
  ready: ["ready", "good"],
  reloading: ["reloading", "busy"],
  switching: ["switching", "busy"],
  starting: ["starting", "busy"],
  stopping: ["stopping", "busy"],
  "backing-off": ["backing off", "warn"],
  "circuit-open": ["circuit open", "bad"],
  failed: ["failed", "bad"],
  stopped: ["stopped", "idle"],
};

const KINDS = {
  started: ["started", "busy"],
  ready: ["ready", "good"],
  crashed: ["crashed", "bad"],
  died: ["crashed", "bad"],
  reloading: ["reload began", "busy"],
  reloaded: ["reloaded", "good"],
  "reload-failed": ["reload failed", "bad"],
  "rolled-back": ["rolled back", "warn"],
  quarantined: ["quarantined", "bad"],
  "spare-ready": ["spare ready", "idle"],
  gone: ["gone", "idle"],
  stopped: ["stopped", "idle"],
  "attempt-failed": ["attempt failed", "warn"],
};

export const wordOf = (state) => STATES[state]?.[0] ?? String(state);
export const toneOf = (state) => STATES[state]?.[1] ?? "idle";

/** Word and tone of an event; nothing for one that a newer host made. */
export const kindOf = (kind) => (Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined);

export const serves = (status) =>
  status.generation !== null && (status.state === "ready" || status.state === "reloading");

/** Not serving though it is meant to, and in trouble about it. */
export const ill = (status) => ["warn", "bad"].includes(toneOf(status.state));

/** What needs somebody comes first. */
export function rank(status) {
  const order = ["bad", "warn", "busy", "good", "idle"];
  return order.indexOf(toneOf(status.state));
}
