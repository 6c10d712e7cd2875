// Server-sent events, read by hand: a browser's own reader cannot send a token.

import { ApiError, ask } from "./api.js";

/** Text that makes no event; more is no stream of this host's. */
const LARGEST = 32 * 1024 * 1024;

/** Calls `take(name, data)` for each event until the stream ends. Throws where it
 * cannot be opened, breaks, or is silent for `silence` milliseconds. */
export async function follow(path, take, { signal, silence, opened }) {
  const own = new AbortController();
  const stop = () => own.abort();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(stop, silence);
  };
  try {
    alive();
    const answer = await ask(path, { signal: own.signal, headers: { Accept: "text/event-stream" } });
    opened?.();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      if (rest.length > LARGEST) throw new ApiError("The host sends what is no event.");
      for (const block of blocks) parse(block, take);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    own.abort();
  }
}

function parse(block, take) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
  }
  if (data.length === 0) return; // A comment that keeps the connection alive.
  take(name, JSON.parse(data.join("\n")));
}

/** Waits; a stop ends the wait. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** How long to wait before each further try: up to five seconds, never the same for
 * two pages that lost the same host. */
export const backoff = (tries) => Math.min(5_000, 400 * 1.7 ** tries) * (0.75 + Math.random() / 2);
