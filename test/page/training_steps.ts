/** What a user does with a run from its start to its checkpoint: the same on every host. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import {
  canvasText,
  download,
  openView,
  shownStep,
  stepRows,
  storedRows,
  storedRuns,
  trainHere,
  waitForStep,
  waitForWord,
} from "./controls.ts";
import { evaluateFolder } from "./eval_folder.ts";
import type { Steps } from "./story.ts";

const turnedRows = async (page: Page, run: string) =>
  (await storedRows(page, run, "metrics.ndjson")).filter(({ event }) => event === "turned");
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Near enough to the recipe's that the run learns all the same. */
const TURNED = { temperature: 0.95, epsilonHigh: 0.3, learningRate: 0.0004 };

export const BEGINNING: Steps = {
  "starts after the preflight card, pauses and takes a single step": async (scene) => {
    const { page } = scene.opened;
    await trainHere(page);
    await waitForWord(page, "training");
    await waitForStep(page, 1);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await waitForWord(page, "paused");
    // Rows are drawn at most ten times a second, the word at once; other tests run beside this one.
    await page.waitForTimeout(1000);
    const rested = await shownStep(page);
    await page.waitForTimeout(3000);
    expect(await shownStep(page)).toBe(rested);
    await page.getByRole("button", { name: "Step", exact: true }).click();
    await waitForStep(page, rested + 1);
    await waitForWord(page, "paused");
    await page.waitForTimeout(500);
    expect(await shownStep(page)).toBe(rested + 1);
    [scene.run] = await storedRuns(page);
  },
};

export const MIDDLE: Steps = {
  "goes on, and takes three settings that are turned while it trains": async ({ opened: { page }, run }) => {
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await waitForWord(page, "training");
    await openView(page, "Settings");
    const panel = page.getByRole("region", { name: "Turn while it runs" });
    for (const [key, value] of Object.entries(TURNED)) await panel.locator(`#turn-${key}`).fill(`${value}`);
    for (const key of Object.keys(TURNED))
      await expect
        .poll(() => panel.locator(`#turn-${key}-note`).textContent(), { timeout: 60_000 })
        .toMatch(/^turned after step \d+$/);
    expect(Object.assign({}, ...(await turnedRows(page, run)))).toMatchObject(TURNED);
    await openView(page, "Learning");
    const told = await page.getByText(/^Turned after step/).textContent();
    for (const words of ["temperature 0.95", "ε high 0.3", "learning rate 4e-4"])
      expect(told).toContain(words);
    await expect
      .poll(async () => (await canvasText(page)).join(" "))

      .toMatch(/(?=.*temp 0\.95)(?=.*ε 0\.3)(?=.*lr 4e-4)/);
  },

  "shows a completion down to its tokens, and why it got its reward": async ({ opened: { page } }) => {
    await openView(page, "Rollouts");
    const options = page.getByRole("listbox", { name: /Completions by group/ }).getByRole("option");
    await options.first().waitFor({ timeout: 60_000 });
    await options.first().click();
    const tokens = page.getByRole("listbox", { name: /Tokens/ });
    await tokens.getByRole("option").nth(1).click();
    const detail = await page.locator("#view-panel").textContent();
    for (const word of ["Log-probability", "Entropy", "Ratio", "Advantage", "Expected", "magistral"])
      expect(detail?.toLowerCase()).toContain(word.toLowerCase());
  },

  "writes a timeline that other tools can read": async ({ opened: { page } }) => {
    await openView(page, "Timeline");
    const { name, bytes } = await download(page, () =>
      page.getByRole("button", { name: "Save trace.json" }).click(),
    );
    expect(name).toMatch(/\.json$/);
    const { traceEvents } = JSON.parse(bytes.toString()) as { traceEvents: Record<string, unknown>[] };
    const tracks = traceEvents
      .filter((event) => event.name === "thread_name")
      .map(({ args }) => (args as { name: string }).name);
    const workers = ["generator 0", "GPU of generator 0", "verifier 0", "trainer", "GPU of the trainer"];
    for (const track of workers) expect(tracks).toContain(track);
    const flows = traceEvents.filter(({ ph }) => ph === "s");
    expect(flows.length).toBeGreaterThan(0);
    expect(traceEvents.filter(({ ph }) => ph === "f").length).toBe(flows.length);
    await openView(page, "Learning");
  },

  "goes on after a reload in the middle, from what was saved": async ({ opened: { page }, run }) => {
    await waitForStep(page, 5);
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await page.getByText("was cut off after step").waitFor({ timeout: 60_000 });
    await page.locator(".notice").getByRole("button", { name: "Go on", exact: true }).click();
    await waitForWord(page, "training");
    expect(await storedRuns(page)).toEqual([run]);
    // What was turned before the reload is turned after it.
    await expect
      .poll(async () => (await turnedRows(page, run)).at(-1), { timeout: 60_000 })
      .toMatchObject(TURNED);
  },

  "recovers from a GPU that is lost": async ({ opened: { page }, run }) => {
    const before = await shownStep(page);
    await page.evaluate(() => webgrpo.loseDevice("generator"));
    await waitForStep(page, Math.min(12, before + 2));
    await page.evaluate(() => webgrpo.loseDevice("trainer"));
    await waitForWord(page, "finished", 280_000);
    const steps = await stepRows(page, run);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  },

  "has learned: the reward of the last five steps is above that of the first five": async ({
    opened: { page },
    run,
  }) => {
    const rewards = (await stepRows(page, run)).map(({ reward }) => Number(reward));
    expect(mean(rewards.slice(-5))).toBeGreaterThan(mean(rewards.slice(0, 5)));
  },

  "hands out a checkpoint that the command line evaluates to the same pass@1": async (scene) => {
    const { run, folder } = scene;
    const { page } = scene.opened;
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
  },
};

export const ENDING: Steps = {
  "said nothing on the console that it should not": async ({ opened: { errors, foreign } }) => {
    // A device lost on purpose is told by the browser.
    expect(errors.filter((text) => !/lost|destroyed/i.test(text))).toEqual([]);
    expect(foreign).toEqual([]);
  },
};
