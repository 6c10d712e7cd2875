// Drives the dashboard of a running host: main.mjs SCENARIO URL TOKEN-FILE [DIRECTORY]
//
// It prints JSON, a line each: `{"do": …}` where whoever started it is to do something
// to the host, and say so by a line on its standard input; and at the end `{"result": …}`.
// `first-paint` and `screenshots` print their figures alone.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import { browse } from "./chromium.mjs";
import { actions } from "./actions.mjs";
import { looks } from "./looks.mjs";
import { pictures } from "./pictures.mjs";
import { watching } from "./watching.mjs";

const ALONE = ["first-paint", "screenshots"];
const SCENARIOS = { ...actions, ...looks, ...pictures, ...watching };

const [name, url, file, directory] = process.argv.slice(2);
const scenario = Object.hasOwn(SCENARIOS, name ?? "") ? SCENARIOS[name] : null;
if (!scenario || !url || !file) {
  console.error(`usage: main.mjs SCENARIO URL TOKEN-FILE [DIRECTORY]; scenarios: ${Object.keys(SCENARIOS).join(", ")}`);
  process.exit(2);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** Has the host's side do something, and waits until it is done. */
async function have(what) {
  say({ do: what });
  const { done, value } = await lines.next();
  if (done) throw new Error(`nobody did ${what}`);
  return JSON.parse(value);
}

/** The tokens as they are now; a host that is started again has others. */
const tokens = () => ({
  full: readFileSync(file, "utf8").trim(),
  look: readFileSync(join(dirname(file), "admin.read-only.token"), "utf8").trim(),
});

try {
  const result = await browse(url, (open) => scenario({ open, have, tokens, directory }));
  say(ALONE.includes(name) ? result : { result });
  process.exit(0);
} catch (error) {
  console.error(error.stack ?? String(error));
  process.exit(1);
}
