/** Adapters and a data set of the hub on the page: found with the model below them, planned, downloaded as one, trained, asked. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { byteText } from "../../src/ui/parts/format.ts";
import { type HubServer, serveHub } from "../data/hub/server.ts";
import { filesIn, openView, stepRows, storedRows, storedRuns, waitForWord } from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";
import { sizeOf, tinyAdapters, tinyQwen3 } from "./tiny_model.ts";
import { violations } from "./violations.ts";

const BASE = "someone/tiny-qwen3";
const ADAPTER = "someone/tiny-adapter";
const DATA = "hub:someone/sums/train.jsonl";
const TOKEN = "hf_for_this_test";

const base = tinyQwen3();
const adapter = tinyAdapters(BASE);
const sums = new TextEncoder().encode(
  Array.from({ length: 90 }, (_, i) => {
    const [a, b] = [i % 10, Math.floor(i / 10)];
    return `${JSON.stringify({ prompt: `${a} + ${b} =`, answer: String(a + b) })}\n`;
  }).join(""),
);

/** Random weights are never right: groups without signal are trained on as well. */
const SETTINGS = [
  "recipe=smoke",
  ...[`model:${ADAPTER}`, `data.file:${DATA}`, "trainer.lora.rank:2", 'verifier.rewards:["accuracy"]'],
  ...["steps:2", "trainer.batchSize:16", "trainer.filter:none", "evaluation.problems:4"],
  ...["generator.concurrency:16"],
]
  .map((each, at) => (at === 0 ? each : `set=${encodeURIComponent(each)}`))
  .join("&");

let hub: HubServer;
beforeAll(async () => {
  hub = await serveHub({
    [BASE]: { files: base },
    [ADAPTER]: { files: { ...adapter, "README.md": new Uint8Array(9), "config.json": base["config.json"] } },
    "someone/gated": { files: base, token: TOKEN },
    "someone/of-gated": { files: tinyAdapters("someone/gated") },
    "someone/of-none": { files: tinyAdapters("someone/none") },
    "datasets/someone/sums": { files: { "train.jsonl": sums } },
  });
});
afterAll(() => hub.close());

/** Paths of all that was downloaded from the hub. */
const hubFiles = (page: Page) => filesIn(page, "hub");

async function chooseIn(card: Locator, name: string): Promise<void> {
  const model = card.getByRole("combobox", { name: "Model" });
  await model.fill(name);
  await model.blur();
}

const FOUND: Steps = {
  "says which model is missing below adapters, and which is closed": async ({ opened: { page } }) => {
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await chooseIn(card, "someone/of-none");
    await card
      .getByText(
        /adapters in someone\/of-none .* the model that they belong to\. .*someone\/none.*answered 404/,
      )
      .waitFor();
    await chooseIn(card, "someone/of-gated");
    await card.getByText(/adapters in someone\/of-gated .*someone\/gated.*access is restricted/).waitFor();
    expect(await violations(page)).toEqual([]);
    const token = card.getByLabel("Access token");
    await token.fill(TOKEN);
    await token.blur();
    await card.getByText("adapters someone/of-gated over someone/gated").waitFor();
    await token.fill("");
    await token.blur();
  },
};

const PARTS = [
  ["adapters", sizeOf(adapter)],
  ["model", sizeOf(base)],
  ["problems", sums.byteLength],
] as const;
const total = PARTS.reduce((sum, [, bytes]) => sum + bytes, 0);

const BROUGHT: Steps = {
  "plans adapters with the model that they name, and says what of it is assumed": async ({
    opened: { page },
  }) => {
    const card = page.getByRole("dialog");
    await chooseIn(card, ADAPTER);
    await card.getByText(`adapters ${ADAPTER} over ${BASE}`).waitFor();
    await card.getByText(/MiB needed, prompts up to 24 tokens assumed/).waitFor();
    const each = PARTS.map(([kind, bytes]) => `${kind} ${byteText(bytes)}`).join(", ");
    const host = new URL(hub.url).host;
    await card.getByText(`${byteText(total)} from ${host}, once: ${each}`).waitFor();
    // What describes them alone: no weights, no problems.
    expect(hub.sentBytes).toBeLessThan(10_000);
    expect(hub.requests.filter((path) => /safetensors|jsonl/.test(path))).toEqual([]);
  },

  "downloads them as one, with a bar that never goes back, paused and taken up again": async ({
    opened: { page },
  }) => {
    const card = page.getByRole("dialog");
    const bar = card.getByRole("progressbar");
    const shown = () => bar.getAttribute("value").then(Number);
    hub.faults.delayMs = 300;
    await card.getByRole("button", { name: `Download ${byteText(total)}` }).click();
    // Beyond the adapters, in the midst of the model.
    await expect.poll(shown, { timeout: 30_000 }).toBeGreaterThan(sizeOf(adapter));
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("Paused").waitFor();
    const paused = await shown();
    expect(Number(await bar.getAttribute("max"))).toBe(total);
    await page.waitForTimeout(700);
    await card.getByRole("button", { name: "Resume" }).click();
    const seen: number[] = [];
    while ((await bar.count()) > 0) {
      seen.push(await bar.getAttribute("value", { timeout: 500 }).then(Number, () => total));
      await page.waitForTimeout(50);
    }
    hub.faults.delayMs = 0;
    expect(seen.filter((value, at) => value < (seen[at - 1] ?? paused))).toEqual([]);
    await card.getByText("nothing: the model and its adapters lie in this browser").waitFor();
    // All prompts have been read now.
    await card.getByText(/MiB needed; /).waitFor();
    const contents = hub.requests.filter((path) => path.startsWith(`/${ADAPTER}/resolve/`));
    expect(contents.some((path) => path.includes("README"))).toBe(false);
    expect(contents.filter((path) => path.includes("/adapter_model.safetensors")).length).toBe(1);
  },
};

const TRAINED: Steps = {
  "trains adapters of its own over them, from what was downloaded": async (scene) => {
    const { page } = scene.opened;
    const asked = hub.requests.length;
    await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
    await waitForWord(page, "finished", 200_000);
    [scene.run] = await storedRuns(page);
    expect((await stepRows(page, scene.run)).map(({ step }) => step)).toEqual([1, 2]);
    const rollouts = await storedRows(page, scene.run, "rollouts.ndjson");
    expect(rollouts.length).toBeGreaterThan(0);
    expect(hub.requests.length).toBe(asked);
  },

  "talks to it in the chat, before and after": async ({ opened: { page } }) => {
    await openView(page, "Chat");
    const question = page.getByRole("textbox", { name: "Question" });
    await expect.poll(() => question.isEnabled(), { timeout: 60_000 }).toBe(true);
    await question.fill("3 + 4 =");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    for (const which of ["first", "newest"])
      await page
        .locator(`.chat-${which}`)
        .getByText(/ended by itself|cut off at the longest allowed/)
        .waitFor({ timeout: 60_000 });
    expect(await page.locator(".chat-newest .chip").textContent()).toMatch(/^version [1-9]/);
  },

  "lists them with what they belong to, and asks anew for a model that was deleted": async ({
    opened: { page },
  }) => {
    await openView(page, "Settings");
    const models = page.getByRole("region", { name: "Models at hand" });
    await models.getByText(`adapters for ${BASE}`).waitFor();
    expect(await models.getByText("not whole yet").count()).toBe(0);
    const item = models.getByRole("listitem").filter({ has: page.getByText(BASE, { exact: true }) });
    await item.getByRole("button", { name: `Delete ${BASE}` }).click();
    await item.getByRole("button", { name: /for good/ }).click();
    await item.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await card.getByText(`${byteText(sizeOf(base))} from ${new URL(hub.url).host}, once`).waitFor();
    await card.getByRole("button", { name: "Not now" }).click();
    const own = models.getByRole("listitem").filter({ hasText: ADAPTER });
    await own.getByRole("button", { name: `Delete ${ADAPTER}` }).click();
    await own.getByRole("button", { name: /for good/ }).click();
    await own.waitFor({ state: "detached" });
    // The line went with its button: the focus is where the list begins.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("models-title");
  },

  "lists the data set with its size, and deletes it by keyboard": async ({ opened: { page } }) => {
    const models = page.getByRole("region", { name: "Models at hand" });
    const item = models.getByRole("list", { name: "Data sets" }).getByRole("listitem");
    expect(await item.getByText(/\d\sKiB, train\.jsonl/).count()).toBe(1);
    expect(await violations(page)).toEqual([]);
    const button = item.getByRole("button", { name: "Delete data set someone/sums" });
    await button.focus();
    await page.keyboard.press("Enter");
    await item.getByRole("button", { name: "Delete for good: data set someone/sums" }).waitFor();
    await page.keyboard.press("Enter");
    await item.waitFor({ state: "detached" });
    await models.getByRole("status").getByText("data set someone/sums is removed").waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("models-title");
    expect(await hubFiles(page)).toEqual([]);
  },

  "leaves nothing of a download that is cancelled": async ({ opened: { page, errors } }) => {
    await page.getByRole("button", { name: "Train this here" }).first().click();
    const card = page.getByRole("dialog");
    await chooseIn(card, "builtin:chain-sum");
    hub.faults.delayMs = 500;
    await card.getByRole("button", { name: `Download ${byteText(sums.byteLength)}` }).click();
    await expect.poll(() => hubFiles(page)).not.toEqual([]);
    await card.getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => hubFiles(page)).toEqual([]);
    hub.faults.delayMs = 0;
    await card.getByRole("button", { name: "Not now" }).click();
    // Answers of 401 and 404 are told by the browser.
    expect(errors.filter((text) => !/status of 40[14]/.test(text))).toEqual([]);
  },
};

tellStory(
  "adapters of the hub on the page",
  () => `${inject("isolated")}?hub=${encodeURIComponent(hub.url)}#${SETTINGS}`,
  { ...FOUND, ...BROUGHT, ...TRAINED },
);
