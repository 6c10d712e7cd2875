// The charts of one plugin, which share their time and the line under the pointer.

import { Chart } from "./chart.js";
import { WINDOW } from "./axis.js";
import { millis, percent, short } from "./format.js";
import * as store from "./store.js";

export class Charts {
  constructor(root, name) {
    this.name = name;
    this.samples = [];
    this.charts = [
      new Chart({ title: "Calls per second", format: short, lines: [{ style: "main", of: (one) => one.callsPerSecond }] }),
      new Chart({ title: "Errors", format: percent, floor: 0.01, ceiling: 1, lines: [{ style: "bad", of: (one) => one.errorShare }] }),
      new Chart({ title: "Latency", format: millis, floor: 0.001, lines: [
        { name: "p99", style: "main", of: (one) => one.p99Ms },
        { name: "p50", style: "second", of: (one) => one.p50Ms },
      ] }),
    ];
    root.replaceChildren(...this.charts.map((chart) => chart.node));
    for (const chart of this.charts) {
      chart.plot.addEventListener("pointermove", (event) => this.point(event.offsetX));
      chart.plot.addEventListener("pointerleave", () => this.point(null));
    }
    this.resizes = new ResizeObserver(() => this.draw());
    this.resizes.observe(root);
    this.off = store.on("sample", (sample) => this.sampled(sample));
  }

  /** Takes what the host has kept of this plugin. */
  remember({ at, instances }) {
    const rows = store.rows(instances[this.name]);
    const times = at.slice(at.length - rows.length).map((time) => Date.parse(time));
    this.samples = rows.map((row, index) => ({ ...row, at: times[index] }));
    this.draw();
  }

  sampled(sample) {
    const own = sample?.samples[this.name];
    if (!own) return;
    const at = Date.parse(sample.at);
    if (at <= (this.samples.at(-1)?.at ?? 0)) return;
    this.samples.push({ ...own, at });
    while (this.samples[0].at < at - WINDOW) this.samples.shift();
    this.draw();
  }

  draw() {
    for (const chart of this.charts) {
      const width = Math.floor(chart.plot.parentElement.clientWidth - 32);
      if (width > 0) chart.draw(this.samples, width);
    }
  }

  point(at) {
    for (const chart of this.charts) chart.point(at);
  }

  end() {
    this.off();
    this.resizes.disconnect();
  }
}
