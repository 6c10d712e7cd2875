// What happened in the last ten minutes: a band of states with a mark for each restart
// and reload, and the same in words.

import { make, say, svg } from "./dom.js";
import { eachSecond, now } from "./clock.js";
import { clock } from "./format.js";
import { kindOf, toneOf, wordOf } from "./states.js";
import { WINDOW, timeScale, timeTicks } from "./axis.js";

const KEPT = 100;
const HEIGHT = 56;
const [BAND, THICK] = [22, 8];

export class Timeline {
  constructor(root, listed, name, status) {
    Object.assign(this, { root, listed, name, status, events: [] });
    this.plot = svg("svg", { height: HEIGHT, role: "img", "aria-label": "States, restarts and reloads over the last ten minutes; the list below says the same" });
    root.replaceChildren(this.plot);
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(root);
    this.ticks = 0;
    this.off = eachSecond(() => (this.ticks++ % 2 === 0 ? this.draw() : undefined));
  }

  remember({ instances }) {
    const events = instances[this.name]?.events ?? [];
    this.events = events.map((event) => ({ ...event, at: Date.parse(event.at) }));
    this.changed();
  }

  happened(event) {
    if (event.instance !== this.name) return;
    this.events.push({ ...event, at: now() });
    if (this.events.length > KEPT) this.events.shift();
    this.changed();
  }

  changed() {
    this.draw();
    const told = this.events.filter((event) => kindOf(event.kind)).reverse();
    this.listed.replaceChildren(...told.map((event) => item(event)));
    if (told.length === 0) this.listed.append(make("li", "quiet", "Nothing yet since the dashboard's server began."));
  }

  draw() {
    const width = this.root.clientWidth;
    if (width === 0) return;
    const end = now();
    const x = timeScale(end, width);
    this.plot.setAttribute("width", width);
    const parts = [svg("rect", { x: 0, y: BAND, width, height: THICK, class: "track" }), ...this.bands(end, x)];
    for (const [at, word] of timeTicks(end)) {
      if (x(at) < 18 || x(at) > width - 18) continue;
      const text = svg("text", { x: x(at), y: HEIGHT - 4, class: "middle" });
      text.textContent = word;
      parts.push(text);
    }
    // What is worst lies on top of what happened at the same time.
    const order = ["idle", "busy", "good", "warn", "bad"];
    const weight = (event) => order.indexOf(kindOf(event.kind)?.[1]);
    for (const event of [...this.events].sort((a, b) => weight(a) - weight(b))) {
      const kind = kindOf(event.kind);
      if (!kind || event.at < end - WINDOW || ["gone", "spare-ready"].includes(event.kind)) continue;
      const [word, tone] = kind;
      const place = x(event.at);
      const group = svg("g", { class: "mark", "data-tone": tone });
      group.append(
        svg("line", { x1: place, x2: place, y1: BAND - 8, y2: BAND + THICK }),
        svg("circle", { cx: place, cy: BAND - 11, r: 4 }),
      );
      const title = svg("title");
      title.textContent = `${clock(event.at)} ${word}`;
      group.append(title);
      parts.push(group);
    }
    this.plot.replaceChildren(...parts);
  }

  /** From each change of state to the next. What was before the first that is known
   * is left open. */
  bands(end, x) {
    const changes = this.events.filter((event) => event.kind === "state" && event.state);
    if (changes.length === 0) {
      changes.push({ at: Date.parse(this.status().stateSince), state: this.status().state });
    }
    return changes.flatMap(({ at, state }, index) => {
      const from = Math.max(at, end - WINDOW);
      const to = changes[index + 1]?.at ?? end;
      if (to < from) return [];
      const band = svg("rect", { x: x(from), y: BAND, width: Math.max(1, x(to) - x(from)), height: THICK, class: "band", "data-tone": toneOf(state) });
      const title = svg("title");
      title.textContent = wordOf(state);
      band.append(title);
      return [band];
    });
  }

  end() {
    this.off();
    this.resizes.disconnect();
  }
}

function item(event) {
  const [word, tone] = kindOf(event.kind);
  const node = make("li");
  const label = make("span", "tone");
  label.dataset.tone = tone;
  label.append(make("i"), make("span", "", word));
  node.append(make("time", "", clock(event.at)), label);
  if (event.generation !== undefined) node.append(make("span", "generation", `generation ${event.generation}`));
  const reason = make("span", "reason");
  // A crash report has the last words too.
  say(reason, (event.reason ?? "").split("; its last words:")[0]);
  reason.title = event.reason ?? "";
  node.append(reason);
  return node;
}
