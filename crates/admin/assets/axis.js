// Where things lie on the charts: ten minutes from left to right, and round figures
// from bottom to top.

export const WINDOW = 600_000;

/** A scale of time that ends at `end`. */
export const timeScale = (end, width) => (at) => width * (1 - (end - at) / WINDOW);

/** Whole two minutes within the window, with their words. */
export function timeTicks(end) {
  const step = 120_000;
  const ticks = [];
  for (let at = Math.ceil((end - WINDOW) / step) * step; at <= end; at += step) {
    const date = new Date(at);
    ticks.push([at, `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`]);
  }
  return ticks;
}

/** The smallest round figure that is not below. */
export function round(value) {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * 0.999) * power;
}
