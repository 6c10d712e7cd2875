// The one connection that keeps the page up to date: it is opened again after each
// loss, and asks for another token where the host has new ones.

import { access, call, keep, token } from "./api.js";
import { byId, mark, say, show } from "./dom.js";
import { forget } from "./clock.js";
import { backoff, follow, pause } from "./stream.js";
import * as store from "./store.js";
import { askForToken, accepted } from "./token.js";

/** A sample comes every two seconds. */
const SILENCE = 20_000;

const connected = new Set();
let mode = "unknown";

/** Called with `full` or `read-only` after each connect. */
export const onConnect = (listener) => connected.add(listener);

/** Whether the token allows to act. */
export const mayAct = () => mode === "full";

function link(state, text) {
  const node = byId("link");
  mark(node, "link", state);
  say(node.lastElementChild, text);
}

function notice(text) {
  const node = byId("notice");
  if (text) say(node, text);
  show(node, text !== "");
}

async function opened() {
  forget();
  const [allowed, history] = await Promise.all([access(), call("outrigger_history")]);
  mode = allowed.access;
  show(byId("read-only"), mode !== "full");
  document.documentElement.dataset.access = mode;
  say(byId("version"), allowed.version);
  store.remember(history);
  for (const listener of connected) listener(mode);
}

/** Goes on for as long as the page is there. */
export async function stay() {
  const { signal } = new AbortController();
  let tries = 0;
  let before = false;
  for (;;) {
    let first = true;
    try {
      await follow("/events?samples=true", (name, data) => {
        if (name === "status") {
          store.take(data);
          if (first) opened().catch(() => {}); // What is missing comes with the next connect.
          first = false;
          tries = 0;
          before = true;
          link("live", "Live");
          notice("");
        } else if (name === "event") store.happened(data);
        else if (name === "sample") store.sampled(data);
      }, { signal, silence: SILENCE, opened: accepted });
    } catch (error) {
      if (error.status === 401) {
        link("locked", "Locked");
        notice("");
        const had = token() !== null;
        keep(null);
        await askForToken(before ? "restarted" : had ? "refused" : "first");
        before = false;
        link("connecting", "Connecting");
        continue;
      }
    }
    link("lost", "Disconnected");
    notice(before
      ? "Disconnected, trying again. What is shown is what was known last."
      : "The host cannot be reached, trying again.");
    await pause(backoff(tries), signal);
    tries += 1;
  }
}
