// What scenarios look for on a page.

export const row = (page, name) => page.locator(`#rows tr[data-instance="${name}"]`);

/** Waits until a plugin's row shows a state. */
export const shows = (page, name, state) => page.locator(`#rows tr[data-instance="${name}"][data-state="${state}"]`).waitFor();

/** Waits until the connection is in a state: `live`, `lost`, `locked`. */
export const link = (page, state) => page.locator(`#link[data-link="${state}"]`).waitFor();

export const text = async (page, selector) => (await page.locator(selector).first().innerText()).trim();

/** Waits until an element's text has this in it, and gives all of it. */
export async function says(page, selector, part) {
  await page.locator(selector, { hasText: part }).first().waitFor();
  return text(page, selector);
}

/** Opens an action's dialog, confirms it, and gives what came of it. */
export async function act(page, action, reason = "", seen = null) {
  await page.locator(`[data-act="${action}"]`).click();
  await page.locator("#action[open]").waitFor();
  if (reason) await page.locator('#action input[name="reason"]').fill(reason);
  await page.locator("#action-go").click();
  const result = page.locator("#action-result[data-tone]");
  await result.waitFor({ timeout: 20_000 });
  const found = { tone: await result.getAttribute("data-tone"), text: (await result.innerText()).trim() };
  await seen?.();
  await page.locator("#action-cancel").click();
  return found;
}

/** The column of a row, by its label. */
export const cell = async (page, name, label) => (await row(page, name).locator(`[data-label="${label}"]`).innerText()).trim();

/** Pixels by which the page is wider than the screen. */
export const overflow = (page) => page.evaluate(() => {
  const root = document.documentElement;
  return Math.max(0, root.scrollWidth - root.clientWidth);
});

/** Waits until a fact of the plugin that is shown has this value. */
export const fact = (page, name, value) =>
  page.locator(`#detail > .facts [data-fact="${name}"] dd`).getByText(value, { exact: true }).waitFor();
