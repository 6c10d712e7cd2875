// One chart: lines over ten minutes, drawn by hand.

import { make, say, svg } from "./dom.js";
import { clock } from "./format.js";
import { WINDOW, round, timeScale, timeTicks } from "./axis.js";

const HEIGHT = 144;
const [TOP, BOTTOM] = [18, 20];

export class Chart {
  /** `lines`: name, class, and what of a sample each shows. */
  constructor({ title, lines, format, floor = 1, ceiling = Infinity }) {
    Object.assign(this, { lines, format, floor, ceiling, samples: [], width: 0, at: null });
    this.node = make("figure", "card chart");
    const caption = make("figcaption");
    caption.append(make("span", "title", title));
    this.values = lines.map(({ name, style }) => {
      const value = make("span", `value ${style}`);
      if (name) value.append(make("small", "", name));
      value.append(make("b"));
      caption.append(value);
      return value.lastElementChild;
    });
    this.when = make("time", "when");
    caption.append(this.when);
    this.plot = svg("svg", { class: "plot", height: HEIGHT, role: "img", "aria-label": `${title} over the last ten minutes` });
    this.grid = svg("g", { class: "grid" });
    this.paths = lines.map(({ style }) => [svg("path", { class: `area ${style}` }), svg("path", { class: `line ${style}` })]);
    this.cross = svg("line", { class: "cross", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    this.scale = svg("g");
    this.plot.append(this.grid, ...this.paths.flat(), this.scale, this.cross);
    this.none = make("p", "none");
    this.node.append(caption, this.plot, this.none);
  }

  /** Takes samples with their times, the newest last. */
  draw(samples, width) {
    Object.assign(this, { samples, width });
    this.plot.setAttribute("width", width);
    const end = samples.at(-1)?.at ?? Date.now();
    const x = timeScale(end, width);
    const kept = samples.filter(({ at }) => at >= end - WINDOW);
    const all = this.lines.flatMap(({ of }) => kept.map(of)).filter((value) => value !== null);
    const most = Math.min(this.ceiling, Math.max(this.floor, round(Math.max(0, ...all))));
    const y = (value) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
    this.rule(end, x, y, most, width);
    this.lines.forEach(({ of }, index) => {
      const [area, line] = outline(kept, of, x, y);
      this.paths[index][0].setAttribute("d", area);
      this.paths[index][1].setAttribute("d", line);
    });
    say(this.none, samples.length < 2 ? "Waiting for samples" : all.length === 0 ? "No calls in these ten minutes" : "");
    this.point(this.at);
  }

  rule(end, x, y, most, width) {
    const parts = [];
    const words = [];
    for (const value of [0, most / 2, most]) {
      const at = Math.round(y(value)) + 0.5;
      parts.push(svg("line", { x1: 0, x2: width, y1: at, y2: at }));
      if (value === 0) continue;
      const text = svg("text", { x: 0, y: at - 5, class: "scale" });
      text.textContent = this.format(value);
      words.push(text);
    }
    for (const [at, word] of timeTicks(end)) {
      const left = x(at);
      if (left < 18 || left > width - 18) continue;
      const text = svg("text", { x: left, y: HEIGHT - 4, class: "middle" });
      text.textContent = word;
      parts.push(text);
    }
    this.grid.replaceChildren(...parts);
    this.scale.replaceChildren(...words);
  }

  /** Shows the values at a place, or the newest. */
  point(at) {
    this.at = at;
    const { samples, width } = this;
    let sample = samples.at(-1);
    if (at !== null && samples.length > 0) {
      const x = timeScale(sample.at, width);
      sample = samples.reduce((best, one) => (Math.abs(x(one.at) - at) < Math.abs(x(best.at) - at) ? one : best));
      const left = x(sample.at);
      this.cross.setAttribute("x1", left);
      this.cross.setAttribute("x2", left);
    }
    this.cross.setAttribute("visibility", at === null || !sample ? "hidden" : "visible");
    this.lines.forEach(({ of }, index) => say(this.values[index], this.format(sample ? of(sample) : null)));
    say(this.when, at === null || !sample ? "" : clock(sample.at));
  }
}

/** The area below a line, and the line. A missing value or sample is a gap. */
function outline(samples, of, x, y) {
  let [area, line, from, last] = ["", "", 0, null];
  const close = () => {
    if (last !== null) area += `L${x(last).toFixed(1)} ${y(0).toFixed(1)}L${from.toFixed(1)} ${y(0).toFixed(1)}Z`;
    last = null;
  };
  for (const sample of samples) {
    const value = of(sample);
    if (value === null || (last !== null && sample.at - last > 10_000)) close();
    if (value === null) continue;
    const point = `${x(sample.at).toFixed(1)} ${y(value).toFixed(1)}`;
    if (last === null) from = x(sample.at);
    line += `${last === null ? "M" : "L"}${point}`;
    area += `${last === null ? "M" : "L"}${point}`;
    last = sample.at;
  }
  close();
  return [area, line];
}
