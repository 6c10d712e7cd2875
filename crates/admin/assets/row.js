// One plugin's row. Only what differs is written.

import { copy, mark, say, show } from "./dom.js";
import { since } from "./clock.js";
import { NONE, duration, millis, percent, short } from "./format.js";
import { BOX, spark } from "./spark.js";
import { ill, serves, toneOf, wordOf } from "./states.js";

export class Row {
  constructor(entry) {
    this.entry = entry;
    this.node = copy("row").firstElementChild;
    this.node.dataset.instance = entry.name;
    [this.name, this.state, this.uptime, this.calls, this.errors, this.p50, this.p99, this.flying, this.failures, this.generation, this.sandbox, this.why] = this.node.cells;
    const link = this.name.firstElementChild;
    link.href = `#/plugins/${encodeURIComponent(entry.name)}`;
    link.textContent = entry.name;
    for (const cell of [this.calls, this.p99]) cell.firstElementChild.setAttribute("viewBox", BOX);
    this.seen = false;
    this.changed();
    this.sampled();
  }

  get link() {
    return this.name.firstElementChild;
  }

  /** What the filter looks at. */
  get text() {
    const { instance, interface: of, name, version, state } = this.entry.status;
    return `${instance} ${of} ${name} ${version} ${wordOf(state)}`.toLowerCase();
  }

  changed() {
    const { status } = this.entry;
    const tone = toneOf(status.state);
    mark(this.node, "state", status.state);
    mark(this.state.firstElementChild, "tone", tone);
    say(this.state.firstElementChild.lastElementChild, wordOf(status.state));
    say(this.name.lastElementChild, `${status.name} ${status.version}`);
    say(this.failures, short(status.failures));
    say(this.generation, status.generation === null ? NONE : String(status.generation));
    say(this.sandbox, status.sandbox);
    const why = ill(status) ? (status.lastError ?? "") : "";
    say(this.why, why);
    if (this.why.title !== why) this.why.title = why;
    show(this.why, why !== "");
    this.tick();
  }

  tick() {
    const { status } = this.entry;
    const up = serves(status) && status.servingSince;
    say(this.uptime, up ? duration(since(status.servingSince)) : NONE);
  }

  sampled() {
    const { sample, series } = this.entry;
    say(this.calls.lastElementChild, short(sample?.callsPerSecond));
    say(this.errors, percent(sample?.errorShare));
    mark(this.errors, "tone", sample?.errorShare > 0 ? "bad" : "");
    say(this.p50, millis(sample?.p50Ms));
    say(this.p99.lastElementChild, millis(sample?.p99Ms));
    say(this.flying, short(sample?.inFlight));
    if (!this.seen) return;
    spark(this.calls.firstElementChild.firstElementChild, series.map((one) => one.callsPerSecond));
    spark(this.p99.firstElementChild.firstElementChild, series.map((one) => one.p99Ms));
  }
}
