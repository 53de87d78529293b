import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { openView, waitForStep } from "./controls.ts";
import { violations } from "./violations.ts";

describe.each(["light", "dark"] as const)("axe-core, %s", (colorScheme) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it.each([
    [1280, 720],
    [390, 844],
  ])("finds nothing on any view at %i × %i", async (width, height) => {
    // At its end, so that nothing changes between what axe looks at and what it measures.
    const options = { colorScheme, width, height, reducedMotion: "reduce" as const };
    const { page, close } = await openPage(browser, inject("isolated"), options);
    await waitForStep(page, 30);
    for (const title of ["Learning", "Rollouts", "Timeline", "Settings", "Chat"]) {
      await openView(page, title);
      await page.waitForTimeout(700);
      expect(await violations(page), title).toEqual([]);
    }
    await close();
  });

  it("finds nothing on the cards and drawers", async () => {
    const { page, close } = await openPage(browser, inject("isolated"), {
      colorScheme,
      reducedMotion: "reduce",
    });
    await waitForStep(page, 30);
    for (const name of [/^Run/, /Help/, /Tour/, "Train this here"]) {
      await page.getByRole("button", { name }).first().click();
      await page.getByRole("dialog").waitFor();
      await page.waitForTimeout(1500);
      expect(await violations(page), String(name)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await close();
  });
});
