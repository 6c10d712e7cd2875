// What one plugin is, in a line of facts.

import { make, say } from "./dom.js";
import { since } from "./clock.js";
import { duration } from "./format.js";
import { serves } from "./states.js";

const SECURITY = { mutual: "mutual TLS", given: "given certificates", none: "none" };

const FACTS = [
  ["Uptime", (status) => (serves(status) && status.servingSince ? duration(since(status.servingSince)) : null)],
  ["Version", (status) => `${status.name} ${status.version}`],
  ["Interface", (status) => status.interface],
  ["Generation", (status) => status.generation],
  ["Spare", (status) => status.spare],
  ["Process", (status) => status.pid],
  ["Sandbox", (status) => status.sandbox],
  ["Connection", (status) => (status.security === null ? null : (SECURITY[status.security] ?? status.security))],
  ["In flight", (status, sample) => (status.generation === null ? null : (sample?.inFlight ?? status.inFlight))],
  ["Failures", (status) => status.failures],
  ["Required", (status) => (status.required ? "yes" : "no")],
];

/** Makes the list, and gives what keeps it up to date. */
export function facts(root) {
  const values = FACTS.map(([name]) => {
    const entry = make("div");
    const value = make("dd");
    entry.dataset.fact = name;
    entry.append(make("dt", "", name), value);
    root.append(entry);
    return value;
  });
  return ({ status, sample }) => {
    FACTS.forEach(([, of], index) => {
      const value = of(status, sample);
      const absent = value === null || value === undefined;
      values[index].parentElement.hidden = absent;
      if (!absent) say(values[index], String(value));
    });
  };
}
