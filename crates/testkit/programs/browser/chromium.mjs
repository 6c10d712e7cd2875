// A headless Chromium that asks nobody for anything, and what of it is watched.

import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** For anything that a page is waited for. */
export const LIMIT = 12_000;

/** The browser's path, by the first of its names that is on PATH. */
export function find() {
  for (const name of NAMES) {
    for (const directory of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // It is not here.
      }
    }
  }
  throw new Error(`none of ${NAMES.join(", ")} is on PATH`);
}

/** Starts a browser with a profile of its own; `work` gets a function that opens
 * pages. What pages asked for and complained of is in `seen`. */
export async function browse(url, work) {
  const profile = mkdtempSync(join(tmpdir(), "outrigger-browser-"));
  const seen = { foreign: [], complaints: [], refused: [], requests: 0 };
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: find(),
    headless: true,
    args: FLAGS,
    timeout: LIMIT,
    viewport: { width: 1320, height: 860 },
  });
  try {
    browser.setDefaultTimeout(LIMIT);
    const { origin } = new URL(url);
    await browser.route("**/*", (route) => {
      seen.requests += 1;
      const asked = route.request().url();
      if (new URL(asked).origin === origin) return route.continue();
      seen.foreign.push(asked);
      return route.abort();
    });
    const open = async (options = {}) => {
      const page = await browser.newPage();
      page.on("console", (message) => {
        if (!["error", "warning"].includes(message.type())) return;
        // What the browser itself says of a request, and not the page.
        const list = message.text().startsWith("Failed to load resource") ? seen.refused : seen.complaints;
        list.push(message.text());
      });
      page.on("pageerror", (error) => seen.complaints.push(String(error)));
      if (options.token) {
        await page.addInitScript((token) => sessionStorage.setItem("outrigger.token", token), options.token);
      }
      if (options.size) await page.setViewportSize(options.size);
      await page.emulateMedia({ colorScheme: options.scheme ?? "light", reducedMotion: "reduce" });
      await page.goto(url + (options.hash ?? ""), { waitUntil: "domcontentloaded" });
      return page;
    };
    return { ...(await work(open)), ...seen };
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
