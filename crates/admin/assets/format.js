// Figures as people read them.

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Three figures at most, as in `7.4`, `128`, `12.3k`. */
export function short(value) {
  if (value === null || value === undefined) return NONE;
  if (value >= 999_950) return `${(value / 1e6).toFixed(value < 9.95e6 ? 1 : 0)}M`;
  if (value >= 9_999.5) return `${(value / 1e3).toFixed(value < 99_950 ? 1 : 0)}k`;
  if (value >= 99.5 || Number.isInteger(value)) return whole.format(value);
  return value.toFixed(1);
}

/** A share as percent. */
export function percent(share) {
  if (share === null || share === undefined) return NONE;
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  return value < 0.1 ? "< 0.1 %" : `${value.toFixed(value < 9.95 ? 1 : 0)} %`;
}

/** A time of milliseconds, as in `340 µs`, `2.5 ms`, `1.2 s`. */
export function millis(value) {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return "0 ms";
  if (value < 0.9995) return `${Math.round(value * 1000)} µs`;
  if (value < 999.5) return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ms`;
  return `${(value / 1000).toFixed(value < 9_950 ? 1 : 0)} s`;
}

/** How long, in two units at most. */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min`;
  const h = Math.floor(m / 60);
  if (h < 24) return `${h} h ${String(m % 60).padStart(2, "0")} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** A time of day; with the day where it is not today's. */
export function clock(at) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return (today ? time : day).format(date);
}

/** `1 plugin`, `2 plugins`. */
export const count = (number, word) => `${whole.format(number)} ${word}${number === 1 ? "" : "s"}`;
