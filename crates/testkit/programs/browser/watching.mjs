// Scenarios that look: state, events, logs, tokens, a host that comes back.

import { cell, link, row, says, shows, text } from "./page.mjs";

const HELLO = "helloworld";

export const watching = {
  /** What is there at first. */
  async load({ open, tokens }) {
    const page = await open({ token: tokens().full });
    await shows(page, HELLO, "ready");
    const headline = await text(page, "#headline");
    // Calls are under way all the time.
    await page.waitForFunction(() => !["–", "0"].includes(document.querySelector("#total-calls").textContent));
    const p99 = await cell(page, HELLO, "p99");
    const uptime = await cell(page, HELLO, "Uptime");
    const sandbox = await cell(page, HELLO, "Sandbox");
    await row(page, HELLO).locator("a").click();
    await page.locator("#detail h1").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".chart .line.main")[0]?.getAttribute("d").length > 20, null, { timeout: 15_000 });
    const phases = await page.locator(".phase-list dt").allInnerTexts();
    const facts = await text(page, "#detail > .facts");
    return { headline, p99, uptime, sandbox, phases, facts };
  },

  /** A death is seen as it happens, and told. */
  async kill({ open, have, tokens }) {
    const page = await open({ token: tokens().full, hash: "#/plugins/helloworld" });
    await says(page, '[data-part="state"]', "ready");
    await says(page, "#detail > .facts", "Generation");
    await have("kill");
    const events = await says(page, '[data-part="events"]', "crashed");
    await page.locator("details[data-report] summary").first().click();
    const report = await text(page, "details[data-report]");
    await page.locator(".back a").click();
    await shows(page, HELLO, "ready");
    await page.waitForFunction(() => document.querySelector("[data-label=Generation]").textContent === "2");
    const spoken = await page.locator("#spoken").textContent();
    return { events, report, failures: await cell(page, HELLO, "Failures"), spoken };
  },

  /** Lines come as they are written, and are text. */
  async logs({ open, have, tokens }) {
    const page = await open({ token: tokens().full, hash: "#/plugins/helloworld" });
    const line = await says(page, ".lines .message", "<img");
    await have("log");
    await says(page, '.lines li[data-level="warn"] .message', "written just now");
    const markup = await page.locator(".lines img, .lines script, .lines b b").count();
    const made = await page.evaluate(() => globalThis.made ?? null);
    await page.locator('[data-part="pause"]').click();
    await have("log");
    const paused = await says(page, '[data-part="log-state"]', "1 new");
    await page.locator('[data-part="pause"]').click();
    await page.waitForFunction(() => document.querySelectorAll('.lines li[data-level="warn"]').length === 2);
    await page.locator('[data-part="level"]').selectOption("error");
    const visible = await page.locator(".lines li:visible").count();
    return { line, markup, made, paused, visible };
  },

  /** Without a token, with a wrong one, with the one that may look, and with the right one. */
  async token({ open, tokens }) {
    const page = await open();
    await page.locator("#token[open]").waitFor();
    const rows = await page.locator("#rows tr").count();
    const offer = async (value) => {
      await page.locator("#token-value").fill(value);
      await page.keyboard.press("Enter");
    };
    await offer("0".repeat(64));
    await page.locator("#token-refused:visible").waitFor();
    const said = await text(page, "#token-refused");
    await offer(tokens().look);
    await shows(page, HELLO, "ready");
    await page.locator("#read-only:visible").waitFor();
    await row(page, HELLO).locator("a").click();
    await page.locator("#detail h1").waitFor();
    const looking = await page.locator("[data-act]:visible").count();
    await page.keyboard.press("r");
    const opened = await page.locator("dialog[open]").count();
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await page.locator("#token[open]").waitFor();
    await offer(tokens().full);
    await page.locator("[data-act=reload]:visible").waitFor();
    const acting = await page.locator("[data-act]:visible").count();
    const stored = await page.evaluate(() => [sessionStorage.length, localStorage.length]);
    return { rows, said, looking, opened, acting, stored };
  },

  /** The host goes, and another comes at the same address with new tokens. */
  async restart({ open, have, tokens }) {
    const page = await open({ token: tokens().full });
    await shows(page, HELLO, "ready");
    await have("end");
    await link(page, "lost");
    const notice = await text(page, "#notice");
    const kept = await page.locator("#rows tr").count();
    await have("begin");
    await page.locator("#token[open]").waitFor({ timeout: 20_000 });
    const why = await text(page, "#token-why");
    await page.locator("#token-value").fill(tokens().full);
    await page.keyboard.press("Enter");
    await link(page, "live");
    await shows(page, "second", "ready");
    return { notice, kept, why, rows: await page.locator("#rows tr").count(), noticed: await page.locator("#notice:visible").count() };
  },
};
