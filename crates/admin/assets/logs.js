// A plugin's log, live. Its lines are text, whatever is in them.

import { make, mark, say } from "./dom.js";
import { clock } from "./format.js";
import { backoff, follow, pause } from "./stream.js";

/** Lines on the page, and of those that come between two frames. */
const KEPT = 1_000;
const A_FRAME = 200;
/** The host says something every 15 seconds. */
const SILENCE = 45_000;

export class Logs {
  constructor(found, name) {
    Object.assign(this, { found, name, waiting: [], skipped: 0, paused: false, following: true, drawing: false });
    this.end = new AbortController();
    const { level, follow: follows, pause: pauses, lines } = found;
    level.addEventListener("change", () => (mark(lines, "least", level.value), this.bottom()));
    follows.addEventListener("click", () => this.keepUp(!this.following));
    pauses.addEventListener("click", () => this.hold(!this.paused));
    lines.addEventListener("scroll", () => {
      const away = lines.scrollHeight - lines.scrollTop - lines.clientHeight > 24;
      // Whoever scrolls up reads; whoever comes back to the end follows again.
      if (away === this.following && !this.moving) this.keepUp(!away, false);
      this.moving = false;
    });
    this.stay();
  }

  async stay() {
    const { signal } = this.end;
    let tries = 0;
    while (!signal.aborted) {
      try {
        await follow(`/logs/${encodeURIComponent(this.name)}`, (name, data) => {
          if (name === "line") this.waiting.push(data);
          else if (name === "lost") this.skipped += data;
          this.soon();
        }, { signal, silence: SILENCE, opened: () => {
          // They begin anew, maybe with another host's numbers.
          this.found.lines.replaceChildren();
          Object.assign(this, { waiting: [], skipped: 0 });
          tries = 0;
          this.tell();
        } });
      } catch (error) {
        if (!signal.aborted) say(this.found["log-state"], error.status === 404 ? "there is none" : "disconnected, trying again");
      }
      await pause(backoff(tries), signal);
      tries += 1;
    }
  }

  soon() {
    while (this.waiting.length > KEPT) {
      this.waiting.shift();
      this.skipped += 1;
    }
    if (this.paused) return this.tell();
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  draw() {
    const { lines } = this.found;
    if (this.waiting.length > A_FRAME) this.skipped += this.waiting.splice(0, this.waiting.length - A_FRAME).length;
    const made = [];
    if (this.skipped > 0) made.push(make("li", "skipped", `${this.skipped} lines came faster than they can be shown`));
    this.skipped = 0;
    for (const line of this.waiting.splice(0)) made.push(item(line));
    lines.append(...made);
    while (lines.childElementCount > KEPT) lines.firstElementChild.remove();
    this.bottom();
    this.tell();
  }

  bottom() {
    const { lines } = this.found;
    if (!this.following) return;
    this.moving = true;
    lines.scrollTop = lines.scrollHeight;
  }

  keepUp(on, jump = true) {
    this.following = on;
    this.found.follow.setAttribute("aria-pressed", String(on));
    if (jump) this.bottom();
  }

  hold(on) {
    this.paused = on;
    const { pause: button } = this.found;
    button.setAttribute("aria-pressed", String(on));
    say(button, on ? "Go on" : "Pause");
    if (!on) this.draw();
    this.tell();
  }

  tell() {
    const more = this.waiting.length;
    say(this.found["log-state"], this.paused ? `paused, ${more === KEPT ? `${KEPT} or more` : more} new` : "");
  }
}

/** An object of JSON as `name=value`; anything else as it is. */
function pairs(fields) {
  try {
    const found = JSON.parse(fields);
    if (found === null || typeof found !== "object" || Array.isArray(found)) return fields;
    const word = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    return Object.entries(found).map(([name, value]) => `${name}=${word(value)}`).join("  ");
  } catch {
    return fields;
  }
}

function item({ at, level, message, fields }) {
  const node = make("li");
  node.dataset.level = level;
  node.append(make("time", "", clock(at)), make("b", "", level), make("span", "message", message));
  if (fields) node.append(make("span", "fields", pairs(fields)));
  return node;
}
