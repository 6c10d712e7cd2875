// Reload, dry run, stop and start: each is confirmed, and says what came of it.

import { call } from "./api.js";
import { toast } from "./announce.js";
import { byId, make, say, show } from "./dom.js";

/** A start may take its limits and a rollback. */
const LIMIT = 180_000;

const ACTS = {
  reload: {
    title: (name) => `Reload ${name}?`, after: (name) => `Reload of ${name}`,
    text: "The next generation is verified, started and initialised. If it fails, what serves now goes on.",
    go: "Reload", doing: "Reloading",
    ask: (instance, reason) => call("outrigger_reload", { instance, reason }, LIMIT),
    done: (generation) => [`Generation ${generation} serves.`],
  },
  "dry-run": {
    title: (name) => `Try a reload of ${name}?`, after: (name) => `Dry run of ${name}`,
    text: "The next generation is verified, started and initialised beside what serves, and thrown away.",
    go: "Try it", doing: "Trying",
    ask: (instance, reason) => call("outrigger_reload", { instance, reason, dryRun: true }, LIMIT),
    done: ({ name, version, launched, appVersion }) => [
      "A reload would succeed.",
      ["Distribution", `${name} ${version}`],
      ["Started", launched ? "yes, and took its config" : "no: two generations may not run at a time"],
      ...(appVersion === null ? [] : [["Protocol version", String(appVersion)]]),
    ],
  },
  stop: {
    title: (name) => `Stop ${name}?`, after: (name) => `Stop of ${name}`,
    text: "Calls under way are let end. It stays stopped, and its calls fail, until somebody starts it.",
    go: "Stop", doing: "Stopping", danger: true,
    ask: (instance, reason) => call("outrigger_stop", { instance, reason }, LIMIT),
    done: () => ["It is stopped."],
  },
  start: {
    title: (name) => `Start ${name}?`, after: (name) => `Start of ${name}`,
    text: "It is verified, started and initialised, as at the host's start.",
    go: "Start", doing: "Starting",
    ask: (instance, reason) => call("outrigger_start", { instance, reason }, LIMIT),
    done: (generation) => [`Generation ${generation} serves.`],
  },
};

/** Which actions can be asked for in this state. */
export function actions(root, status, may) {
  const down = ["stopped", "failed"].includes(status.state);
  const shown = { reload: !down, "dry-run": true, stop: status.state !== "stopped", start: down };
  for (const button of root.querySelectorAll("[data-act]")) {
    show(button, may && shown[button.dataset.act]);
  }
}

let turn = 0;

/** Opens the dialog for an action. */
export function act(what, name) {
  const dialog = byId("action");
  if (dialog.open) return;
  turn += 1;
  const own = turn;
  const { title, after, text, go, doing, danger, ask, done } = ACTS[what];
  const [form, button, cancel, result] = [dialog.querySelector("form"), byId("action-go"), byId("action-cancel"), byId("action-result")];
  const reason = form.elements.reason;
  say(byId("action-title"), title(name));
  say(byId("action-text"), text);
  say(button, go);
  say(cancel, "Cancel");
  button.classList.toggle("danger", danger === true);
  reason.value = "";
  result.replaceChildren();
  delete result.dataset.tone;
  for (const part of [byId("action-text"), byId("action-reason"), button]) show(part, true);
  button.disabled = false;
  cancel.onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    say(button, `${doing}…`);
    say(cancel, "Close");
    dialog.setAttribute("aria-busy", "true");
    show(byId("action-reason"), false);
    let [tone, lines] = ["good", []];
    try {
      lines = done(await ask(name, reason.value.trim() || null));
    } catch (error) {
      [tone, lines] = ["bad", [error.message]];
    }
    // Somebody closed it meanwhile, and is told elsewhere.
    if (!dialog.open || own !== turn) return toast(`${name}: ${lines[0]}`, tone);
    dialog.removeAttribute("aria-busy");
    result.dataset.tone = tone;
    say(byId("action-title"), after(name));
    result.replaceChildren(...words(lines));
    for (const part of [byId("action-text"), button]) show(part, false);
    cancel.focus();
  };
  dialog.removeAttribute("aria-busy");
  dialog.showModal();
  button.focus();
}

function words([first, ...facts]) {
  const line = make("p", "tone");
  line.append(make("i"), make("span", "", first));
  if (facts.length === 0) return [line];
  const list = make("dl", "facts");
  for (const [name, value] of facts) {
    const entry = make("div");
    entry.append(make("dt", "", name), make("dd", "", value));
    list.append(entry);
  }
  return [line, list];
}
