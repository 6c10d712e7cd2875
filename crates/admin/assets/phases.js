// What each part of the serving generation's start took.

import { make } from "./dom.js";
import { millis } from "./format.js";

const ORDER = ["verify", "unpack", "launch", "handshake", "initialise"];

/** Draws the bar and its parts in words; gives what they took together. */
export function phases(root, startMs) {
  const known = ORDER.map((name) => [name, startMs?.[name] ?? 0]);
  const total = known.reduce((sum, [, took]) => sum + took, 0);
  if (total === 0) {
    root.replaceChildren(make("p", "quiet", "It has not served yet."));
    return null;
  }
  const bar = make("div", "phases");
  bar.setAttribute("aria-hidden", "true");
  const words = make("dl", "phase-list");
  known.forEach(([name, took], index) => {
    const piece = make("i", `phase p${index}`);
    piece.style.setProperty("flex-grow", String(took / total));
    bar.append(piece);
    const entry = make("div");
    const term = make("dt");
    term.append(make("i", `phase p${index}`), make("span", "", name));
    entry.append(term, make("dd", "", millis(took)));
    words.append(entry);
  });
  root.replaceChildren(bar, words);
  return total;
}
