// Crash reports, the newest first.

import { call } from "./api.js";
import { make, say } from "./dom.js";
import { clock, count, duration } from "./format.js";

/** Asks for the reports of one plugin and shows them. */
export async function crashes(found, name) {
  let reports;
  try {
    reports = await call("outrigger_crashes", { instance: name });
  } catch (error) {
    found.crashes.replaceChildren(make("p", "quiet", error.message));
    return;
  }
  say(found["crash-count"], reports.length > 0 ? `${reports.length === 10 ? "the last " : ""}${reports.length}` : "");
  if (reports.length === 0) {
    found.crashes.replaceChildren(make("p", "quiet", "It has not crashed."));
    return;
  }
  // Those that somebody opened stay open.
  const open = new Set([...found.crashes.querySelectorAll("[open]")].map((node) => node.dataset.report));
  found.crashes.replaceChildren(...reports.reverse().map((report) => {
    const node = make("details");
    node.dataset.report = `${report.generation} ${report.at}`;
    node.open = open.has(node.dataset.report);
    const summary = make("summary");
    summary.append(make("time", "", clock(report.at)), make("span", "cause", report.status ?? report.reason));
    node.append(summary, body(report));
    return node;
  }));
}

function body(report) {
  const node = make("div", "report");
  const facts = make("dl", "facts");
  const fact = (name, value) => {
    const entry = make("div");
    entry.append(make("dt", "", name), make("dd", "", value));
    facts.append(entry);
  };
  fact("Generation", `${report.generation} (${report.version})`);
  fact("Served", duration(report.servedSeconds));
  if (report.pid !== null) fact("Process", String(report.pid));
  fact("Seen as", report.reason.split("; its last words:")[0]);
  if (report.outOfMemory) fact("Memory", "the kernel was out of memory");
  fact("Calls lost", String(report.calls));
  node.append(facts);
  if (report.panic) node.append(quote("It said", report.panic));
  if (report.lastWords) node.append(quote("Last words", report.lastWords));
  const lost = Object.entries(report.lost).map(([method, calls]) => `${method}: ${count(calls, "call")}`);
  if (lost.length > 0) node.append(quote("Lost by method", lost.join("\n")));
  return node;
}

function quote(title, text) {
  const node = make("div", "quote");
  node.append(make("h3", "", title), make("pre", "", text));
  return node;
}
