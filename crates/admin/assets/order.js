// The orders that rows can have.

import { rank, serves } from "./states.js";

const byName = new Intl.Collator("en", { numeric: true }).compare;
const sample = (key) => (entry) => entry.sample?.[key] ?? -1;

/** By key: what is compared, and whether the largest comes first. */
const KEYS = {
  name: [(entry) => entry.name, false],
  state: [(entry) => rank(entry.status), false],
  uptime: [(entry) => (serves(entry.status) ? -Date.parse(entry.status.servingSince) : -Infinity), true],
  calls: [sample("callsPerSecond"), true],
  errors: [sample("errorShare"), true],
  p50: [sample("p50Ms"), true],
  p99: [sample("p99Ms"), true],
  inFlight: [sample("inFlight"), true],
  failures: [(entry) => entry.status.failures, true],
  generation: [(entry) => entry.status.generation ?? 0, true],
  sandbox: [(entry) => entry.status.sandbox, false],
};

/** Whether the largest comes first until somebody turns it round. */
export const falls = (key) => KEYS[key][1];

/** Compares two entries; those that are equal stay in the order of their names. */
export function compare(key, descending) {
  const [of] = KEYS[key];
  const sign = descending ? -1 : 1;
  return (one, other) => {
    const [a, b] = [of(one), of(other)];
    const by = typeof a === "string" ? byName(a, b) : a < b ? -1 : a > b ? 1 : 0;
    return by * sign || byName(one.name, other.name);
  };
}
