import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type HubServer, serveHub } from "../data/hub/server.ts";
import { launchChromium, openPage } from "./chromium.ts";
import { openView, waitForStep } from "./controls.ts";
import { tinyAdapters, tinyQwen3 } from "./tiny_model.ts";
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

const MODEL = "someone/tiny-qwen3";
const ADAPTER = "someone/tiny-adapter";

describe.each(["light", "dark"] as const)("axe-core on a download, %s", (colorScheme) => {
  let browser: Browser;
  let hub: HubServer;
  beforeAll(async () => {
    browser = await launchChromium();
    hub = await serveHub({ [MODEL]: { files: tinyQwen3() }, [ADAPTER]: { files: tinyAdapters(MODEL) } });
  });
  afterAll(async () => {
    await browser.close();
    await hub.close();
  });

  it("finds nothing while it runs, rests and has failed, and on the list of models", async () => {
    const address = `${inject("isolated")}?hub=${encodeURIComponent(hub.url)}#recipe=smoke&set=model:${ADAPTER}`;
    const options = { colorScheme, reducedMotion: "reduce" as const };
    const { page, close } = await openPage(browser, address, options);
    const nothingIn = async (state: string) => {
      for (const [width, height] of [
        [1280, 720],
        [390, 844],
      ]) {
        await page.setViewportSize({ width, height });
        expect(await violations(page), `${state} at ${width}`).toEqual([]);
        const clipped = await page.evaluate(() => {
          const body = document.querySelector("dialog[open]") ?? document.documentElement;
          return body.scrollWidth - body.clientWidth;
        });
        expect(clipped, `${state} at ${width}`).toBe(0);
      }
    };
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    const begin = card.getByRole("button", { name: /^Download/ });
    await begin.waitFor();
    await nothingIn("needed");
    hub.faults.delayMs = 60_000;
    await begin.click();
    expect(await card.getByRole("button", { name: "Pause" }).evaluate((one) => one.matches(":focus"))).toBe(
      true,
    );
    await nothingIn("running");
    await card.getByRole("button", { name: "Pause" }).click();
    await nothingIn("resting");
    hub.faults.delayMs = 0;
    hub.faults.refuse = { status: 403, times: 1000 };
    await card.getByRole("button", { name: "Resume" }).click();
    await card.getByRole("alert").waitFor();
    await nothingIn("failed");
    hub.faults.refuse = undefined;
    await card.getByRole("button", { name: "Try again" }).click();
    await card.getByText(/nothing: the model/).waitFor();
    await page.keyboard.press("Escape");
    await openView(page, "Settings");
    await page.getByText(`adapters for ${MODEL}`).waitFor();
    await page.getByRole("button", { name: `Delete ${MODEL}` }).click();
    await nothingIn("list");
    await close();
  });
});
