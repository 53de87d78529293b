import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { launchChromium, openPage } from "./chromium.ts";
import { openView } from "./controls.ts";

describe("settings", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it("refuses a number out of bounds with its reason, and keeps the run from starting", async () => {
    const { page, errors, close } = await openPage(browser, inject("isolated"));
    await openView(page, "Settings");
    const editor = page.getByRole("textbox", { name: /recipe/i }).last();
    await editor.fill('{ "extends": "default", "trainer": { "groupSize": 1 } }');
    await page
      .getByText(/groupSize/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Train this here" }).click();
    const card = page.getByRole("dialog");
    await card
      .getByText(/groupSize/)
      .first()
      .waitFor();
    expect(await card.getByRole("button", { name: "Start", exact: true }).isDisabled()).toBe(true);
    expect(errors).toEqual([]);
    await close();
  });

  it("suggests the right name for a misspelt setting", async () => {
    const { page, close } = await openPage(browser, inject("isolated"));
    await openView(page, "Settings");
    await page
      .getByRole("textbox", { name: /recipe/i })
      .last()
      .fill('{ "trainer": { "learningRat": 0.001 } }');
    await page
      .getByText(/learningRate/)
      .first()
      .waitFor();
    expect(await page.locator("#view-panel").textContent()).toMatch(/did you mean/i);
    await close();
  });

  it("asks nobody and breaks nothing for a link that means harm", async () => {
    const deep = encodeURIComponent(`${'{"a":'.repeat(9000)}1${"}".repeat(9000)}`);
    const foreignModel = "set=model:https://other.example/m";
    const { page, errors, foreign, close } = await openPage(
      browser,
      `${inject("isolated")}#view=settings&recipe=https://other.example/x.json&json=${deep}&${foreignModel}`,
    );
    await page.getByText("stand more than 64 deep").waitFor();
    await page.getByText("it is not on this site").first().waitFor();
    await page
      .getByRole("textbox", { name: /recipe/i })
      .last()
      .fill('{ "extends": "default", "model": "https://other.example/m" }');
    await page.getByText("known once the model is there").waitFor();
    expect(errors).toEqual([]);
    expect(foreign).toEqual([]);
    await close();
  });

  it("keeps what was set in the address, and takes it from there", async () => {
    const { page, close } = await openPage(
      browser,
      `${inject("isolated")}#view=settings&set=trainer.learningRate:0.001&recipe=smoke`,
    );
    const editor = page.getByRole("textbox", { name: /recipe/i }).last();
    await editor.waitFor();
    expect(JSON.parse(await editor.inputValue())).toMatchObject({
      extends: "smoke",
      trainer: { learningRate: 0.001 },
    });
    await editor.fill('{ "extends": "smoke", "seed": 7 }');
    await page.waitForFunction(() => location.hash.includes("seed:7"));
    await close();
  });
});
