// Scenarios that act: each by the dialog, and to its result.

import { act, fact, says, text } from "./page.mjs";

const opened = async ({ open, tokens }) => {
  const page = await open({ token: tokens().full, hash: "#/plugins/helloworld" });
  await says(page, '[data-part="state"]', "ready");
  await page.locator("[data-act=reload]:visible").waitFor();
  return page;
};

export const actions = {
  async reload(given) {
    const page = await opened(given);
    await page.locator("[data-act=reload]").click();
    await page.locator("#action-cancel").click();
    await fact(page, "Generation", "1");
    const result = await act(page, "reload", "a test");
    await fact(page, "Generation", "2");
    return { result };
  },

  async "dry-run"(given) {
    const page = await opened(given);
    const result = await act(page, "dry-run");
    return { result, facts: await text(page, "#detail > .facts") };
  },

  /** The next generation does not start, and the one that serves goes on. */
  async rollback(given) {
    const page = await opened(given);
    await given.have("break");
    const tried = await act(page, "dry-run");
    const result = await act(page, "reload");
    const events = await says(page, '[data-part="events"]', "failed");
    return { tried, result, events, state: await text(page, '[data-part="state"]'), facts: await text(page, "#detail > .facts") };
  },

  /** The next generation starts and dies soon after, and what served before it comes back. */
  async probation(given) {
    const page = await opened(given);
    await given.have("doom");
    const result = await act(page, "reload");
    const events = await says(page, '[data-part="events"]', "rolled back");
    await fact(page, "Generation", "3");
    await says(page, '[data-part="state"]', "ready");
    return { result, events };
  },

  async stop(given) {
    const page = await opened(given);
    const stopped = await act(page, "stop");
    await says(page, '[data-part="state"]', "stopped");
    const offered = await page.locator("[data-act]:visible").allInnerTexts();
    const started = await act(page, "start");
    await says(page, '[data-part="state"]', "ready");
    return { stopped, offered, started };
  },

  /** From the list to a reload and back, without a pointer. */
  async keyboard({ open, tokens }) {
    const page = await open({ token: tokens().full });
    await page.locator('#rows tr[data-state="ready"]').first().waitFor();
    const press = (key) => page.keyboard.press(key);
    await press("/");
    await page.keyboard.type("other");
    const filtered = await page.locator("#rows tr:visible").count();
    await press("Escape");
    await press("Escape");
    await press("j");
    await press("j");
    const focused = await page.evaluate(() => document.activeElement.textContent);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    await press("k");
    await press("Enter");
    await page.locator("[data-act=reload]:visible").waitFor();
    const heading = await page.evaluate(() => document.activeElement.id);
    await press("r");
    await page.locator("#action[open]").waitFor();
    await press("Enter");
    await page.locator("#action-result[data-tone=good]").waitFor({ timeout: 20_000 });
    await press("Enter");
    await page.locator("#action").waitFor({ state: "hidden" });
    await press("Escape");
    await page.locator("#overview:visible").waitFor();
    const back = await page.evaluate(() => document.activeElement.textContent);
    await press("?");
    const keys = await page.locator("#help[open] #keys div").count();
    await press("Escape");
    await press("t");
    const theme = await page.evaluate(() => document.documentElement.dataset.theme);
    return { filtered, focused, outline, heading, back, keys, theme };
  },
};
