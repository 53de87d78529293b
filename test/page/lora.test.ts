/** A run with adapters on the page: planned, fitted to what the recipe allows, trained, asked, handed out and taken back. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unzipSync } from "fflate";
import { expect, inject } from "vitest";
import { CHAT } from "./chat_steps.ts";
import {
  download,
  openView,
  shownStep,
  stepRows,
  storedRows,
  storedRuns,
  waitForStep,
  waitForWord,
} from "./controls.ts";
import { evaluateFolder } from "./eval_folder.ts";
import { type Steps, tellStory } from "./story.ts";
import { violations } from "./violations.ts";

const ALLOWED_MIB = 100;
const SETTINGS = [
  "recipe=chain-sum-lora",
  ...["steps:5", "checkpoint.every:2", "trainer.batchSize:32", "generator.concurrency:64"].map(
    (each) => `set=${each}`,
  ),
  ...["evaluation.problems:16", "evaluation.samples:2", "gpu.selfTest:false"].map((each) => `set=${each}`),
  `set=gpu.maxMemoryMiB:${ALLOWED_MIB}`,
].join("&");

const mebibytes = (text: string | null) => Number(/([\d.]+)\sMiB/.exec(text ?? "")?.[1] ?? Number.NaN);

const PLANNED: Steps = {
  "says what it needs by parts, and refuses what the recipe does not allow": async ({ opened: { page } }) => {
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await card.getByText("By parts").click();
    const text = await card.getByRole("table").textContent();
    expect(text).toMatch(/Trainer.*Generator.*weights.*adapters.*moments.*in all/);
    await card.getByText(/needed; gpu.maxMemoryMiB allows 100\sMiB/).waitFor();
    expect(await card.getByRole("button", { name: "Start", exact: true }).isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
  },

  "has its buttons in one row, on a phone in two, and the reason in sight": async ({ opened: { page } }) => {
    const card = page.getByRole("dialog");
    const reason = card.getByText(/gpu.maxMemoryMiB allows 100\sMiB/);
    for (const [width, height, rows] of [
      [1280, 720, 1],
      [360, 740, 2],
    ]) {
      await page.setViewportSize({ width, height });
      await card.evaluate((element) => element.scrollTo(0, 0));
      const boxes = await card
        .locator(".preflight-actions button")
        .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect()));
      expect(boxes.map(({ top }) => top).filter((top, k, all) => all.indexOf(top) === k).length).toBe(rows);
      const left = Math.min(...boxes.map((box) => box.left));
      const right = Math.max(...boxes.map((box) => box.right));
      const { x, width: own } = (await card.boundingBox()) as { x: number; width: number };
      expect(left).toBeGreaterThan(x);
      expect(right).toBeLessThan(x + own);
      // Three lines of it at least; its parts may be longer than the card.
      const { y } = (await reason.boundingBox()) as { y: number };
      expect(y + 70).toBeLessThan(Math.min(...boxes.map((box) => box.top)));
    }
    await page.setViewportSize({ width: 1280, height: 720 });
  },

  "fits after its own proposal is taken": async ({ opened: { page } }) => {
    const card = page.getByRole("dialog");
    const fits = card.getByText(/It fits with trainer.microBatchTokens \d+: \d+\sMiB/);
    const promised = mebibytes(await fits.textContent());
    await card.getByRole("button", { name: "Use these settings" }).click();
    const needed = card.getByText(/MiB needed; [\d.]+\s[MG]iB allowed in one piece/);
    await needed.waitFor({ timeout: 20_000 });
    // The button that was pressed is gone: the focus is on what it led to.
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("preflight-lines");
    expect(mebibytes(await needed.textContent())).toBe(promised);
    expect(promised).toBeLessThan(ALLOWED_MIB);
    expect(await card.getByRole("button", { name: "Use these settings" }).count()).toBe(0);
    expect(decodeURIComponent(new URL(page.url()).hash)).toContain("trainer.microBatchTokens");
  },
};

const TRAINED: Steps = {
  "trains adapters within what is allowed, and goes on after a reload": async (scene) => {
    const { page } = scene.opened;
    const start = page.getByRole("dialog").getByRole("button", { name: "Start", exact: true });
    await expect.poll(() => start.isEnabled(), { timeout: 20_000 }).toBe(true);
    await start.click();
    // A checkpoint is there, and two steps are still to come.
    await waitForStep(page, 3);
    [scene.run] = await storedRuns(page);
    page.once("dialog", (dialog) => dialog.accept());
    await page.reload();
    await page.getByText("was cut off after step").waitFor({ timeout: 60_000 });
    await page.locator(".notice").getByRole("button", { name: "Go on", exact: true }).click();
    await waitForWord(page, "finished");
    expect(await shownStep(page)).toBe(5);
    expect((await stepRows(page, scene.run)).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    const ready = (await storedRows(page, scene.run, "metrics.ndjson")).filter(
      ({ event }) => event === "ready",
    );
    expect(ready.length).toBe(2);
  },
};

const HANDED_OUT: Steps = {
  "hands out adapters that the command line evaluates to the same pass@1": async (scene) => {
    const { run, folder } = scene;
    const { page } = scene.opened;
    await page.getByRole("button", { name: /^Run/ }).click();
    const drawer = page.getByRole("dialog", { name: "Runs" });
    await drawer.getByRole("button", { name: `More for ${run}` }).click();
    const { bytes } = await download(page, () =>
      drawer.getByRole("button", { name: "Download the checkpoint" }).click(),
    );
    writeFileSync(join(folder, "checkpoint.zip"), bytes);
    for (const [path, content] of Object.entries(unzipSync(bytes))) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    const own = join(folder, `${run}-step-5`);
    expect(readdirSync(own)).toEqual(
      expect.arrayContaining(["adapter_config.json", "adapter_model.safetensors", "tokenizer.json"]),
    );
    expect(readdirSync(own)).not.toContain("config.json");
    const config = JSON.parse(readFileSync(join(own, "adapter_config.json"), "utf8"));
    expect(config).toMatchObject({ base_model_name_or_path: "builtin:chain-sum", r: 8 });
    const rows = await storedRows(page, run, "metrics.ndjson");
    const after = rows.find(({ event, when }) => event === "evaluation" && when === "after");
    const evaluated = await evaluateFolder(own, { problems: 16, samples: 2, maxTokens: 24 });
    expect(evaluated).toBe(after?.["eval_pass@1"]);
  },

  "takes them back as a zip, as the model of a next run": async ({ opened: { page }, run, folder }) => {
    const drawer = page.getByRole("dialog", { name: "Runs" });
    await drawer.locator("input[type=file]").setInputFiles(join(folder, "checkpoint.zip"));
    await page.getByText(`stored:${run}-step-5`).first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    const model = card.getByRole("combobox", { name: "Model" });
    await model.fill(`stored:${run}-step-5`);
    await model.blur();
    const start = card.getByRole("button", { name: "Start", exact: true });
    await expect.poll(() => start.isEnabled(), { timeout: 20_000 }).toBe(true);
    await page.keyboard.press("Escape");
  },

  "takes their folder, and says which model is missing below them": async ({ opened, run, folder }) => {
    const { page, errors } = opened;
    const own = join(folder, `${run}-step-5`);
    const written = JSON.parse(readFileSync(join(own, "adapter_config.json"), "utf8"));
    const astray = { ...written, base_model_name_or_path: "/elsewhere/some-model" };
    writeFileSync(join(own, "adapter_config.json"), JSON.stringify(astray));
    await openView(page, "Settings");
    await page
      .getByRole("region", { name: "Models at hand" })
      .getByLabel("Folder of a model")
      .setInputFiles(own);
    await page.getByText(`dropped:${run}-step-5`).first().waitFor();
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await card.getByText(/the model that they belong to, \/elsewhere\/some-model, is not here/).waitFor();
    await card.getByText(/Drop its folder, called some-model, onto the page or upload it as a zip/).waitFor();
    expect(await card.getByRole("button", { name: "Start", exact: true }).isDisabled()).toBe(true);
    expect(errors).toEqual([]);
  },
};

const [[answers, answer]] = Object.entries(CHAT);

tellStory("adapters on the page", () => `${inject("isolated")}#${SETTINGS}`, {
  ...PLANNED,
  ...TRAINED,
  [answers]: answer,
  ...HANDED_OUT,
});
