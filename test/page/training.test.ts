import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFailed } from "vitest";
import { launchChromium, type OpenedPage, openPage } from "./chromium.ts";
import {
  download,
  openView,
  SMOKE,
  shownStep,
  storedRows,
  storedRuns,
  trainHere,
  waitForStep,
  waitForWord,
} from "./controls.ts";
import { evaluateFolder } from "./eval_folder.ts";

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const stepsOf = async (page: Page, run: string) =>
  (await storedRows(page, run, "metrics.ndjson")).filter(({ event }) => event === undefined);

/** Steps, pauses and reloads follow one another in one run, as they do for a user. */
describe("training on the page", () => {
  let browser: Browser;
  let opened: OpenedPage;
  let run: string;
  const folder = mkdtempSync(join(tmpdir(), "page-checkpoint-"));
  beforeAll(async () => {
    browser = await launchChromium();
    opened = await openPage(browser, `${inject("isolated")}#${SMOKE}`);
  });
  // Each step stands on the one before it.
  let broken = false;
  beforeEach(({ skip }) => {
    if (broken) skip("an earlier step of this run failed");
    onTestFailed(() => {
      broken = true;
    });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts after the preflight card, pauses, takes a single step and goes on", async () => {
    const { page } = opened;
    await trainHere(page);
    await waitForWord(page, "training");
    await waitForStep(page, 1);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await waitForWord(page, "paused");
    // Rows are drawn at most ten times a second, the word at once.
    await page.waitForTimeout(1000);
    const rested = await shownStep(page);
    await page.waitForTimeout(4000);
    expect(await shownStep(page)).toBe(rested);
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await waitForStep(page, rested + 1);
    await waitForWord(page, "paused");
    await page.waitForTimeout(1000);
    expect(await shownStep(page)).toBe(rested + 1);
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await waitForWord(page, "training");
    [run] = await storedRuns(page);
  });

  it("shows a completion down to its tokens, and why it got its reward", async () => {
    const { page } = opened;
    await openView(page, "Rollouts");
    const options = page.getByRole("listbox", { name: /Completions by group/ }).getByRole("option");
    await options.first().waitFor({ timeout: 60_000 });
    await options.first().click();
    const tokens = page.getByRole("listbox", { name: /Tokens/ });
    await tokens.getByRole("option").nth(1).click();
    const detail = await page.locator("#view-panel").textContent();
    for (const word of ["Log-probability", "Entropy", "Ratio", "Advantage", "Expected", "magistral"])
      expect(detail?.toLowerCase()).toContain(word.toLowerCase());
  });

  it("writes a timeline that other tools can read", async () => {
    const { page } = opened;
    await openView(page, "Timeline");
    const { name, bytes } = await download(page, () =>
      page.getByRole("button", { name: "Save trace.json" }).click(),
    );
    expect(name).toMatch(/\.json$/);
    const { traceEvents } = JSON.parse(bytes.toString()) as { traceEvents: Record<string, unknown>[] };
    const tracks = traceEvents
      .filter((event) => event.name === "thread_name")
      .map(({ args }) => (args as { name: string }).name);
    for (const track of ["generator 0", "verifier 0", "trainer"]) expect(tracks).toContain(track);
    const flows = traceEvents.filter(({ ph }) => ph === "s");
    expect(flows.length).toBeGreaterThan(0);
    expect(traceEvents.filter(({ ph }) => ph === "f").length).toBe(flows.length);
    await openView(page, "Learning");
  });

  it("goes on after a reload in the middle, from what was saved", async () => {
    const { page } = opened;
    await waitForStep(page, 5);
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await page.getByText("was cut off after step").waitFor({ timeout: 60_000 });
    await page.locator(".notice").getByRole("button", { name: "Go on", exact: true }).click();
    await waitForWord(page, "training");
    expect(await storedRuns(page)).toEqual([run]);
  });

  it("recovers from a GPU that is lost", async () => {
    const { page } = opened;
    const before = await shownStep(page);
    await page.evaluate(() => webgrpo.loseDevice("generator"));
    await waitForStep(page, Math.min(12, before + 2));
    await page.evaluate(() => webgrpo.loseDevice("trainer"));
    await waitForWord(page, "finished", 280_000);
    const steps = await stepsOf(page, run);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  });

  it("has learned: the reward of the last five steps is above that of the first five", async () => {
    const rewards = (await stepsOf(opened.page, run)).map(({ reward }) => Number(reward));
    expect(mean(rewards.slice(-5))).toBeGreaterThan(mean(rewards.slice(0, 5)));
  });

  it("hands out a checkpoint that the command line evaluates to the same pass@1", async () => {
    const { page } = opened;
    await page.getByRole("button", { name: /^Run/ }).click();
    const drawer = page.getByRole("dialog", { name: "Runs" });
    await drawer.getByRole("button", { name: `More for ${run}` }).click();
    const { bytes } = await download(page, () =>
      drawer.getByRole("button", { name: "Download the checkpoint" }).click(),
    );
    for (const [path, content] of Object.entries(unzipSync(bytes))) {
      if (path.endsWith("/")) continue;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const rows = await storedRows(page, run, "metrics.ndjson");
    const after = rows.find(({ event, when }) => event === "evaluation" && when === "after");
    const evaluated = await evaluateFolder(folder, { problems: 32, samples: 2, maxTokens: 24 });
    expect(evaluated).toBe(after?.["eval_pass@1"]);
  });

  it("gives the whole run as a zip, forgets it, and takes it back", async () => {
    const { page } = opened;
    const drawer = page.getByRole("dialog", { name: "Runs" });
    const item = drawer.getByRole("listitem").filter({ hasText: run });
    const { name, bytes } = await download(page, () =>
      drawer.getByRole("button", { name: "Download the run" }).click(),
    );
    expect(name).toBe(`${run}.zip`);
    const files = Object.keys(unzipSync(bytes));
    for (const file of ["recipe.json", "metrics.ndjson", "rollouts.ndjson", "trace.json", "summary.json"])
      expect(
        files.some((path) => path.endsWith(file)),
        file,
      ).toBe(true);
    await drawer.getByRole("button", { name: "Remove …" }).click();
    await drawer.getByRole("button", { name: "Remove for good" }).click();
    await item.waitFor({ state: "detached" });
    expect(await storedRuns(page)).toEqual([]);
    await drawer
      .locator("input[type=file]")
      .setInputFiles({ name: `${run}.zip`, mimeType: "application/zip", buffer: bytes });
    await item.waitFor();
    expect((await stepsOf(page, run)).length).toBe(12);
  });

  it("draws a stored run beside another, and opens it", async () => {
    const { page } = opened;
    const runs = page.getByRole("button", { name: /^Run/ });
    const drawer = page.getByRole("dialog", { name: "Runs" });
    const item = drawer.getByRole("listitem").filter({ hasText: run });
    await drawer
      .getByRole("listitem")
      .filter({ hasText: "Recording" })
      .getByRole("button", { name: "Open" })
      .click();
    await drawer.waitFor({ state: "detached" });
    await runs.click();
    await item.getByRole("button", { name: "Compare" }).click();
    await page.keyboard.press("Escape");
    await page.locator("#view-panel").getByText(run).first().waitFor();
    await runs.click();
    await item.getByRole("button", { name: "Open" }).click();
    await waitForWord(page, "stored");
    expect(await shownStep(page)).toBe(12);
  });

  it("said nothing on the console that it should not", () => {
    // A device lost on purpose is told by the browser.
    expect(opened.errors.filter((text) => !/lost|destroyed/i.test(text))).toEqual([]);
    expect(opened.foreign).toEqual([]);
  });
});
