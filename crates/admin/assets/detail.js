// One plugin, by the hash `#/plugins/NAME`.

import { call } from "./api.js";
import { act, actions } from "./actions.js";
import { eachSecond } from "./clock.js";
import { onConnect, mayAct } from "./connection.js";
import { Charts } from "./charts.js";
import { crashes } from "./crashes.js";
import { byId, copy, make, mark, parts, say, show } from "./dom.js";
import { facts } from "./facts.js";
import { millis } from "./format.js";
import { focus } from "./list.js";
import { Logs } from "./logs.js";
import { phases } from "./phases.js";
import { ill, toneOf, wordOf } from "./states.js";
import * as store from "./store.js";
import { Timeline } from "./timeline.js";

let current = null;

/** The plugin that is shown, if one is. */
export const shown = () => current?.name ?? null;

class Detail {
  constructor(entry) {
    this.name = entry.name;
    const root = byId("detail");
    root.replaceChildren(copy("detail-parts"));
    this.found = parts(root);
    say(byId("detail-name"), entry.name);
    this.tell = facts(this.found.facts);
    this.charts = new Charts(this.found.charts, entry.name);
    this.timeline = new Timeline(this.found.timeline, this.found.events, entry.name, () => store.get(entry.name)?.status ?? entry.status);
    this.logs = new Logs(this.found, entry.name);
    for (const button of root.querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => act(button.dataset.act, entry.name));
    }
    this.offs = [store.on("event", (event) => this.timeline.happened(event)), eachSecond(() => this.update())];
    this.remember();
    this.update();
  }

  /** Asks for what the host has kept. */
  async remember() {
    try {
      const history = await call("outrigger_history", { instance: this.name });
      this.charts.remember(history);
      this.timeline.remember(history);
    } catch {
      // What comes from now on is shown.
    }
  }

  update() {
    const entry = store.get(this.name);
    if (!entry) return gone(this.name);
    const { status } = entry;
    const { state, why, crashes: reports } = this.found;
    mark(state, "tone", toneOf(status.state));
    say(state.lastElementChild, wordOf(status.state));
    this.tell(entry);
    const text = ill(status) ? (status.lastError ?? "") : "";
    say(why, text);
    show(why, text !== "");
    actions(byId("detail"), status, mayAct());
    const text2 = JSON.stringify(status.startMs);
    if (this.startText !== text2) {
      this.startText = text2;
      const total = phases(this.found.phases, status.startMs);
      say(this.found["start-total"], total === null ? "" : `${millis(total)} in all`);
    }
    const known = `${status.crashes} ${status.failures}`;
    if (this.known !== known) {
      this.known = known;
      if (status.crashes > 0 || reports.childElementCount === 0) crashes(this.found, this.name);
    }
  }

  end() {
    this.offs.forEach((off) => off());
    this.charts.end();
    this.timeline.end();
    this.logs.end.abort();
  }
}

function gone(name) {
  leave();
  const back = make("nav", "back");
  const link = make("a", "", "← All plugins");
  link.href = "#/";
  back.append(link);
  const title = make("h1", "", name);
  title.id = "detail-name";
  byId("detail").replaceChildren(back, title, make("p", "empty", "The host has no plugin of this name."));
}

function leave() {
  current?.end();
  current = null;
}

function wanted() {
  const found = location.hash.match(/^#\/plugins\/(.+)$/);
  if (!found) return null;
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return found[1];
  }
}

function route(moved) {
  const [name, before] = [wanted(), current?.name];
  show(byId("overview"), name === null);
  show(byId("detail"), name !== null);
  if (name === before) return;
  leave();
  if (name === null) {
    if (moved && before) focus(before);
    return;
  }
  const entry = store.get(name);
  // Before the first state nothing is known of any.
  if (!entry && store.all().length === 0) return byId("detail").replaceChildren(make("p", "empty", "Waiting for the host"));
  if (!entry) return gone(name);
  current = new Detail(entry);
  document.title = `${name} – Outrigger`;
  if (moved) {
    scrollTo(0, 0);
    byId("detail-name").focus({ preventScroll: true });
  }
}

export function detail() {
  addEventListener("hashchange", () => route(true));
  store.on("set", () => (current && !store.get(current.name) ? gone(current.name) : route(false)));
  store.on("changed", (names) => names.has(current?.name) && current.update());
  store.on("sample", () => current?.update());
  onConnect(() => (current?.remember(), current?.update()));
  route(false);
}
