import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { type HubServer, serveHub } from "../data/hub/server.ts";
import { filesIn, openView, stepRows, storedRuns, waitForWord } from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";
import { sizeOf, tinyQwen3 } from "./tiny_model.ts";
import { violations } from "./violations.ts";

const MODEL = "someone/tiny-qwen3";
const GATED = "someone/gated";
const TOKEN = "hf_for_this_test";
/** Random weights are never right: groups without signal are trained on as well. */
const SETTINGS =
  "recipe=smoke&set=steps:3&set=trainer.batchSize:16&set=trainer.filter:none&set=evaluation.problems:4&set=generator.concurrency:16";

const files = tinyQwen3();
const total = sizeOf(files);
const folder = mkdtempSync(join(tmpdir(), "page-model-"));
let hub: HubServer;

beforeAll(async () => {
  hub = await serveHub({ [MODEL]: { files }, [GATED]: { files, token: TOKEN } });
  mkdirSync(join(folder, "dropped-qwen3"));
  for (const [name, bytes] of Object.entries(files))
    writeFileSync(join(folder, "dropped-qwen3", name), bytes);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const ON_THE_HUB: Steps = {
  "asks the hub for nothing before a model of it is wanted": async ({ opened: { page, foreign } }) => {
    for (const title of ["Chat", "Settings", "Learning"]) await openView(page, title);
    expect(hub.requests).toEqual([]);
    expect(foreign).toEqual([]);
  },

  "says what keeps a model from being had": async ({ opened: { page } }) => {
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    const model = card.getByRole("combobox", { name: "Model" });
    await model.fill("someone/none");
    await model.blur();
    await card.getByText(/someone\/none.*answered 404/).waitFor();
    expect(await card.getByRole("button", { name: "Start", exact: true }).isDisabled()).toBe(true);
    await model.fill(GATED);
    await model.blur();
    await card.getByText(/access is restricted/).waitFor();
    await card.getByText(/give a token of your account in the field below/).waitFor();
    expect(await violations(page)).toEqual([]);
    const token = card.getByLabel("Access token");
    await token.fill(TOKEN);
    await token.blur();
    await card.getByRole("button", { name: /^Download/ }).waitFor();
    const everything = await page.evaluate(() =>
      JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    expect(everything).not.toContain(TOKEN);
    await token.fill("");
    await token.blur();
  },

  "tells size and memory, downloads with one bar that pauses and resumes": async ({ opened: { page } }) => {
    const card = page.getByRole("dialog");
    const model = card.getByRole("combobox", { name: "Model" });
    await model.fill(MODEL);
    await model.blur();
    await card.getByText(new RegExp(`${Math.round(total / 1024)}\\sKiB from 127.0.0.1:\\d+, once`)).waitFor();
    await card.getByText(/MiB needed/).waitFor();
    await card.getByText("By parts").click();
    expect(await card.getByRole("table").textContent()).toMatch(/weights.*moments.*in all/);
    hub.faults.delayMs = 500;
    const before = hub.sentBytes;
    await card.getByRole("button", { name: /^Download/ }).click();
    const bar = card.getByRole("progressbar");
    await expect.poll(() => bar.getAttribute("value").then(Number), { timeout: 20_000 }).toBeGreaterThan(0);
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("Paused").waitFor();
    await page.waitForTimeout(800);
    const paused = hub.sentBytes;
    await page.waitForTimeout(1200);
    expect(hub.sentBytes).toBe(paused);
    expect(paused - before).toBeLessThan(total);
    await card.getByRole("button", { name: "Resume" }).click();
  },

  "goes on with what had come after a reload in the middle of the download": async ({ opened: { page } }) => {
    const came = await filesIn(page, "hub");
    const whole = Object.keys(files).filter((name) => came.some((path) => path.endsWith(`/${name}`)));
    expect(whole).not.toEqual([]);
    expect(whole.length).toBeLessThan(Object.keys(files).length);
    await page.reload();
    const asked = hub.requests.length;
    hub.faults.delayMs = 0;
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await card.getByRole("button", { name: /^Download/ }).click();
    await card.getByText("nothing: the model lies in this browser").waitFor({ timeout: 20_000 });
    const contents = hub.requests.filter(
      (path) => path.startsWith(`/${MODEL}/resolve/`) && path.includes(" "),
    );
    // What had come whole before the reload is not asked for again, nor what had before the pause.
    const again = hub.requests.slice(asked).filter((path) => contents.includes(path));
    for (const name of whole) expect(again.filter((path) => path.includes(`/${name} `))).toEqual([]);
    expect(new Set(contents).size).toBe(Object.keys(files).length);
    expect(contents.length).toBeLessThan(2 * Object.keys(files).length);
  },

  "trains it for three steps": async (scene) => {
    const { page } = scene.opened;
    const asked = hub.requests.length;
    await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
    await waitForWord(page, "finished", 200_000);
    [scene.run] = await storedRuns(page);
    expect((await stepRows(page, scene.run)).map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(hub.requests.length).toBe(asked);
  },

  "lists it with its size, and deletes it": async ({ opened: { page } }) => {
    await openView(page, "Settings");
    const models = page.getByRole("region", { name: "Models at hand" });
    const item = models.getByRole("listitem").filter({ hasText: MODEL });
    await item.getByText(/\d\sKiB/).waitFor();
    expect(await violations(page)).toEqual([]);
    await item.getByRole("button", { name: `Delete ${MODEL}` }).click();
    await item.getByRole("button", { name: /for good/ }).click();
    await item.waitFor({ state: "detached" });
  },
};

const DROPPED: Steps = {
  "takes a folder that is dropped onto the page, and trains it": async (scene) => {
    const { page, context } = scene.opened;
    const devtools = await context.newCDPSession(page);
    const dragged = { items: [], files: [join(folder, "dropped-qwen3")], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await devtools.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data: dragged });
    await page.getByText(/The next run trains the model in dropped-qwen3/).waitFor();
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await card.getByText("nothing: the model lies in this browser").waitFor({ timeout: 20_000 });
    const asked = hub.requests.length;
    await card.getByRole("button", { name: "Start", exact: true }).click();
    await waitForWord(page, "training");
    await waitForWord(page, "finished", 200_000);
    const [run] = (await storedRuns(page)).filter((name) => name !== scene.run);
    expect((await stepRows(page, run)).map(({ step }) => step)).toEqual([1, 2, 3]);
    await openView(page, "Chat");
    const question = page.getByRole("textbox", { name: "Question" });
    await expect.poll(() => question.isEnabled(), { timeout: 60_000 }).toBe(true);
    expect(hub.requests.length).toBe(asked);
  },

  "takes a folder that is chosen, and says what is no model": async ({ opened: { page, errors } }) => {
    await openView(page, "Settings");
    const models = page.getByRole("region", { name: "Models at hand" });
    await models.getByLabel("Folder of a model").setInputFiles(join(folder, "dropped-qwen3"));
    await models.getByText("dropped:dropped-qwen3").waitFor();
    mkdirSync(join(folder, "empty"));
    writeFileSync(join(folder, "empty", "notes.txt"), "nothing");
    await models.getByLabel("Folder of a model").setInputFiles(join(folder, "empty"));
    await page.getByText(/config.json is not among its 1 file/).waitFor();
    // Answers of 401 and 404 are told by the browser.
    expect(errors.filter((text) => !/status of 40[14]/.test(text))).toEqual([]);
  },
};

tellStory(
  "models on the page",
  () => `${inject("isolated")}?hub=${encodeURIComponent(hub.url)}#${SETTINGS}`,
  {
    ...ON_THE_HUB,
    ...DROPPED,
  },
);
