// The host's clock, which may not be this machine's, and a tick a second.

let ahead = null;
const listeners = new Set();

/** Tells what the host's clock said just now. The least delayed news is the best. */
export function heard(at) {
  const difference = Date.parse(at) - Date.now();
  if (Number.isFinite(difference) && (ahead === null || difference > ahead)) ahead = difference;
}

/** The host may be another one now. */
export const forget = () => (ahead = null);

/** Milliseconds since 1970, by the host's clock. */
export const now = () => Date.now() + (ahead ?? 0);

/** Seconds since a moment that the host named. */
export const since = (at) => (now() - Date.parse(at)) / 1000;

/** Calls a listener each second, until what it gives is called. */
export function eachSecond(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

setInterval(() => {
  // Nobody sees a page that is hidden.
  if (!document.hidden) for (const listener of listeners) listener();
}, 1_000);
