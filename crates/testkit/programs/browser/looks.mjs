// Scenarios about how it looks and how soon: many plugins, narrow screens, first paint.

import { link, overflow, shows } from "./page.mjs";

const NARROW = { width: 360, height: 740 };

/** When the first paint was, and when every row was on the page and painted. */
async function painted(page) {
  await page.waitForFunction(() => document.querySelector("#rows tr") !== null);
  const rows = await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
  }));
  const first = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null);
  return { first_paint_ms: first, plugins_painted_ms: rows, plugins: await page.locator("#rows tr").count() };
}

export const looks = {
  /** For whoever measures: one page, its figures alone. */
  async "first-paint"({ open, tokens }) {
    const page = await open({ token: tokens().full });
    return painted(page);
  },

  /** Hundreds: painted soon, filtered and sorted at once, and kept up to date without
   * being made anew. */
  async many({ open, have, tokens }) {
    const page = await open({ token: tokens().full });
    const paint = await painted(page);
    await shows(page, "plugin-000", "ready");
    const squares = await page.locator("#strip a").count();
    await page.evaluate(() => {
      globalThis.made = 0;
      new MutationObserver((changes) => {
        for (const change of changes) if (change.type === "childList") globalThis.made += change.addedNodes.length;
      }).observe(document.querySelector("#rows"), { childList: true });
    });
    const took = (work) => page.evaluate(work);
    const filtering = await took(() => {
      const start = performance.now();
      const field = document.querySelector("#filter");
      field.value = "plugin-00";
      field.dispatchEvent(new Event("input"));
      document.body.getBoundingClientRect();
      return performance.now() - start;
    });
    const filtered = await page.locator("#rows tr:visible").count();
    await page.locator("#filter").fill("");
    await have("kill");
    await page.waitForFunction(() => document.querySelector('[data-instance="plugin-000"] [data-label=Generation]').textContent === "2");
    const made = await took(() => globalThis.made);
    const sorting = await took(() => {
      const start = performance.now();
      document.querySelector('[data-sort="name"]').click();
      document.body.getBoundingClientRect();
      return performance.now() - start;
    });
    const top = await page.locator("#rows tr").first().getAttribute("data-instance");
    return { ...paint, squares, filtering, filtered, made, sorting, top };
  },

  /** 360 pixels: nothing is cut off, in either view, in either theme. */
  async narrow({ open, tokens }) {
    const page = await open({ token: tokens().full, size: NARROW });
    await page.locator("#rows tr").first().waitFor();
    const list = await overflow(page);
    const name = await page.locator("#rows tr").first().getAttribute("data-instance");
    await page.locator("#rows tr a").first().click();
    await page.locator("#detail h1").waitFor();
    await page.locator(".lines").waitFor();
    const detail = await overflow(page);
    await page.locator("#help-open").click();
    const dialog = await page.locator("#help").boundingBox();
    return { list, detail, name, dialog: dialog.x >= 0 && dialog.x + dialog.width <= NARROW.width };
  },

  /** The system's theme, and somebody's own, which is kept. */
  async themes({ open, tokens }) {
    const colour = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const [light, dark] = [await open({ token: tokens().full }), await open({ token: tokens().full, scheme: "dark" })];
    for (const page of [light, dark]) await link(page, "live");
    const shown = [await colour(light), await colour(dark)];
    await dark.locator("#theme").click();
    const own = await colour(dark);
    await dark.reload();
    const kept = await colour(dark);
    const pictures = [];
    for (const page of [light, dark]) pictures.push((await page.screenshot()).length);
    return { shown, own, kept, pictures };
  },
};
