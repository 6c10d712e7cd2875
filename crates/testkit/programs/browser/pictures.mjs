// The pictures of the book.

import { join } from "node:path";

import { act, says } from "./page.mjs";

const SIZE = { width: 1320, height: 960 };

export const pictures = {
  async screenshots({ open, tokens, directory }) {
    const written = [];
    const shoot = async (page, name, options = {}) => {
      const path = join(directory, `${name}.png`);
      await page.screenshot({ path, ...options });
      written.push(path);
      await page.close();
    };
    for (const scheme of ["light", "dark"]) {
      const page = await open({ token: tokens().full, scheme, size: SIZE });
      await page.locator('#rows tr[data-state="ready"]').first().waitFor();
      // The next sample draws the lines.
      await page.waitForTimeout(2_500);
      await shoot(page, `dashboard-${scheme}`);
    }
    const hash = "#/plugins/price-feed";
    const page = await open({ token: tokens().full, size: { width: 1320, height: 1120 }, hash });
    await says(page, '[data-part="state"]', "ready");
    await page.waitForTimeout(2_500);
    await page.locator("details[data-report] summary").first().click({ timeout: 2_000 }).catch(() => {});
    await shoot(page, "dashboard-plugin");
    return { written };
  },

  /** For whoever works on the page: everything, in every form. */
  async gallery({ open, tokens, directory }) {
    const views = [["list", ""], ["plugin", "#/plugins/price-feed"], ["ill", "#/plugins/legacy-bridge"], ["busy", "#/plugins/mempool-filter"]];
    const written = [];
    for (const [name, hash] of views) {
      for (const [form, scheme, width] of [["light", "light", 1320], ["dark", "dark", 1320], ["narrow", "light", 360], ["middle", "light", 900]]) {
        const page = await open({ token: tokens().full, scheme, size: { width, height: 900 }, hash });
        await page.waitForTimeout(2_600);
        const path = join(directory, `${name}-${form}.png`);
        await page.screenshot({ path, fullPage: true });
        written.push(path);
        await page.close();
      }
    }
    const page = await open({ token: tokens().full, hash: "#/plugins/peer-filter", size: { width: 1000, height: 800 } });
    const keep = async (name) => {
      const path = join(directory, `${name}.png`);
      await page.screenshot({ path });
      written.push(path);
    };
    await page.locator("[data-act=reload]:visible").click();
    await keep("dialog-reload");
    await page.locator("#action-cancel").click();
    await act(page, "dry-run", "", () => keep("dialog-dry-run"));
    await page.keyboard.press("?");
    await keep("dialog-keys");
    await page.close();
    const locked = await open({ size: { width: 1000, height: 800 } });
    await locked.locator("#token-value").fill("wrong");
    await locked.keyboard.press("Enter");
    await locked.locator("#token-refused:visible").waitFor();
    await locked.screenshot({ path: join(directory, "dialog-token.png") });
    return { written };
  },
};
