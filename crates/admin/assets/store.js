// What is known of the instances. It tells listeners which of them changed, so that
// nothing else is drawn again.
//
// "changed": Set of names; "set": names came or went; "sample": a sample of all;
// "event": one thing that happened; "moved": {name, from, to} for a state.

import { call } from "./api.js";
import { heard } from "./clock.js";

/** Samples for the small charts: a minute. */
const KEPT = 30;
/** Between two questions for the state. */
const APART = 150;

const listeners = new Map();
const instances = new Map();

export function on(what, listener) {
  if (!listeners.has(what)) listeners.set(what, new Set());
  listeners.get(what).add(listener);
  return () => listeners.get(what).delete(listener);
}

function tell(what, detail) {
  for (const listener of listeners.get(what) ?? []) listener(detail);
}

/** All instances, in the host's order. */
export const all = () => [...instances.values()];

export const get = (name) => instances.get(name);

/** Takes the state of all instances. */
export function take(statuses) {
  const changed = new Set();
  const names = new Set(statuses.map((status) => status.instance));
  let set = false;
  for (const name of instances.keys()) {
    if (!names.has(name)) set = instances.delete(name) || set;
  }
  for (const status of statuses) {
    const text = JSON.stringify(status);
    const entry = instances.get(status.instance);
    if (!entry) {
      instances.set(status.instance, { name: status.instance, status, text, sample: null, series: [] });
      set = true;
    } else if (entry.text !== text) {
      moved(entry, status.state);
      Object.assign(entry, { status, text });
      changed.add(entry.name);
    }
  }
  if (set) tell("set");
  if (changed.size > 0) tell("changed", changed);
}

function moved(entry, to) {
  const from = entry.status.state;
  if (from !== to) tell("moved", { name: entry.name, from, to });
}

/** Takes one event: a new state is shown at once, and the rest is asked for. */
export function happened(event) {
  const entry = instances.get(event.instance);
  if (entry && event.kind === "state" && event.state) {
    moved(entry, event.state);
    entry.status = { ...entry.status, state: event.state };
    entry.text = "";
    tell("changed", new Set([entry.name]));
  }
  tell("event", event);
  refresh();
}

/** Takes a sample of all instances. */
export function sampled({ at, instances: samples }) {
  heard(at);
  for (const [name, sample] of Object.entries(samples)) {
    const entry = instances.get(name);
    if (!entry) continue;
    entry.sample = sample;
    entry.series.push(sample);
    if (entry.series.length > KEPT) entry.series.shift();
  }
  tell("sample", { at, samples });
}

/** Takes the columns of the last minute, as after each connect. */
export function remember({ instances: columns }) {
  for (const entry of instances.values()) {
    entry.series = rows(columns[entry.name]);
    entry.sample = entry.series.at(-1) ?? null;
  }
  tell("sample", null);
}

/** Columns as rows. */
export function rows(columns) {
  if (!columns) return [];
  const { callsPerSecond, errorShare, p50Ms, p99Ms, inFlight } = columns;
  return callsPerSecond.map((calls, index) => ({
    callsPerSecond: calls,
    errorShare: errorShare[index],
    p50Ms: p50Ms[index],
    p99Ms: p99Ms[index],
    inFlight: inFlight[index],
  }));
}

let asking = false;
let again = false;

/** Asks for the state; many wishes at a time become one or two questions. */
export async function refresh() {
  again = true;
  if (asking) return;
  asking = true;
  while (again) {
    again = false;
    try {
      take(await call("outrigger_status"));
    } catch {
      break; // The connection tells of it.
    }
    await new Promise((resolve) => setTimeout(resolve, APART));
  }
  asking = false;
}
