import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { openView, shownStep, waitForStep } from "./controls.ts";

describe("the first load", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it("plays the recorded run, and asks no other origin for anything", async () => {
    const { page, errors, foreign, close } = await openPage(browser, inject("isolated"));
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await waitForStep(page, 1);
    const early = await shownStep(page);
    await waitForStep(page, early + 4);
    expect(await page.getByRole("button", { name: "Train this here" }).count()).toBe(1);
    for (const title of ["Rollouts", "Timeline", "Settings", "Chat", "Learning"]) await openView(page, title);
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
    await close();
  });

  it("is isolated by its service worker on a host that sends no headers", async () => {
    const { page, errors, close } = await openPage(browser, inject("plain"));
    await page.waitForFunction(() => crossOriginIsolated, undefined, { timeout: 30_000 });
    await waitForStep(page, 2);
    expect(errors).toEqual([]);
    await close();
  });

  it("stays still where motion is to be reduced, and plays on request", async () => {
    const { page, close } = await openPage(browser, inject("isolated"), { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Train this here" }).waitFor();
    await waitForStep(page, 30);
    await close();
  });

  it("hides what a teacher names in the address", async () => {
    const { page, close } = await openPage(browser, `${inject("isolated")}?hide=settings,chat,controls`);
    await page.getByRole("tab", { name: "Learning" }).waitFor();
    expect(await page.getByRole("tab").allTextContents()).toEqual(["Learning", "Rollouts", "Timeline"]);
    expect(await page.getByRole("button", { name: "Train this here" }).count()).toBe(0);
    await close();
  });
});

describe("a browser without WebGPU", () => {
  it("gets the page, and a card that says what to do", async () => {
    const browser = await launchChromium({ webgpu: false });
    const { page, errors, close } = await openPage(browser, inject("isolated"), {
      before: () => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }),
    });
    await waitForStep(page, 1);
    await page.getByRole("button", { name: "Train this here" }).click();
    const card = page.getByRole("dialog");
    await card.getByText("This cannot run here yet").waitFor();
    expect(await card.textContent()).toContain("WebGPU");
    expect(await card.getByRole("button", { name: "Start", exact: true }).isDisabled()).toBe(true);
    expect(errors).toEqual([]);
    await close();
    await browser.close();
  });
});
