import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasModel } from "../loop/tiny.ts";
import { type breakers, brokenModel } from "./bad_models.ts";
import { command, type Ended, freshFolder, removeFolders, tinyTrain } from "./command.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const set = (...settings: string[]) => settings.flatMap((setting) => ["--set", setting]);
let folder: string;
beforeAll(async () => {
  folder = await freshFolder();
});
afterAll(removeFolders);

/** What every refusal has: its code, what was found, a hint, no stack trace. */
function expectRefusal({ code, stdout, stderr }: Ended, exit: number, error: string, words: RegExp): void {
  expect(stderr).toContain(`[${error}]`);
  expect(stderr).toMatch(words);
  expect(stderr).toMatch(/\nHint: \S/);
  expect(stderr).not.toMatch(/^ +at /m);
  expect(stdout).toBe("");
  expect(code).toBe(exit);
}

/** Trains with more words into a folder that must not be there afterwards: its name is free for the next attempt. */
async function refused(exit: number, error: string, words: RegExp, more: string[]): Promise<void> {
  const out = join(folder, "out");
  expectRefusal(await command(tinyTrain(out, ...more)), exit, error, words);
  expect(existsSync(out)).toBe(false);
}

const models: [way: keyof typeof breakers, error: string, words: RegExp][] = [
  ["cut", "safetensors/damaged", /model\.safetensors in \S+model-cut/],
  ["headerless", "safetensors/damaged", /model-headerless/],
  ["otherShapes", "model/wrong-shape", /\[\d+, 128\], config\.json needs \[\d+, 64\]/],
  ["otherArchitecture", "model/unknown-architecture", /GPT2LMHeadModel/],
  ["withoutTokenizer", "text/no-tokenizer", /no tokenizer\.json/],
  ["withoutWeights", "model/missing-file", /model\.safetensors is missing/],
  ["outgrowBinding", "gpu/does-not-fit", /gate_up .* one binding[\s\S]*Hint: Choose a smaller model/],
];

describe.skipIf(!hasModel)("a bad model", () => {
  it.each(models)("is refused: %s", async (way, error, words) => {
    await refused(1, error, words, ["--model", await brokenModel(folder, way)]);
  });

  it("is refused where there is none", async () => {
    await refused(1, "model/no-folder", /there is no such folder/, ["--model", join(folder, "nowhere")]);
  });
});

const recipes: [what: string, error: string, words: RegExp, more: string[]][] = [
  ["unknown key", "config/unknown-key", /did you mean `trainer.learningRate`/, set("trainer.learningRte=1")],
  ["batches of broken groups", "config/contradiction", /whole groups/, set("trainer.batchSize=10")],
  ["negative steps", "config/out-of-range", /-1 as `steps`/, set("steps=-1")],
  ["a word for a number", "config/wrong-type", /"fast"/, set("trainer.learningRate=fast")],
  ["no recipe of that name", "config/no-recipe", /did you mean `smoke`/, ["--recipe", "smok"]],
  ["unknown task", "config/unknown-task", /did you mean `chain_sum`/, set("task.name=chain_sun")],
  ["unknown reward", "verifier/unknown-reward", /magistrl/, set('verifier.rewards=["magistrl"]')],
];

describe.skipIf(!hasModel)("a bad recipe", () => {
  it.each(recipes)("is refused: %s", async (_what, error, words, more) => {
    await refused(2, error, words, more);
  });

  it("is refused as a file: broken JSON, unknown key", async () => {
    const file = join(folder, "recipe.json");
    await writeFile(file, '{ "steps": 3, }');
    await refused(2, "config/bad-json", /recipe\.json: .*line 1/, ["--recipe", file]);
    await writeFile(file, '{ "trainer": { "learnRate": 1 } }');
    await refused(2, "config/unknown-key", /trainer\.learningRate/, ["--recipe", file]);
  });
});

const rows: [what: string, error: string, words: RegExp, text: string][] = [
  ["no rows", "data/empty", /holds no rows/, "\n\n"],
  ["a broken row", "data/bad-row", /line 3 of \S+rows\.jsonl: it is not JSON/, '{"question": oops}\n'],
  ["a row without a prompt", "data/bad-row", /line 3 .*neither `prompt` nor `question`/, '{"answer":"4"}\n'],
];

describe.skipIf(!hasModel)("bad rows", () => {
  const good = '{"question":"1 + 2 =","answer":"3"}\n{"question":"1 + 3 =","answer":"4"}\n';
  it.each(rows)("are refused: %s", async (_what, error, words, text) => {
    const file = join(folder, "rows.jsonl");
    await writeFile(file, error === "data/empty" ? text : good + text);
    await refused(1, error, words, ["--data", file]);
  });

  it("are refused: no file", async () => {
    await refused(1, "data/no-file", /none\.jsonl/, ["--data", join(folder, "none.jsonl")]);
  });
});

const rewards: [name: string, words: RegExp][] = [
  ["thrower", /could not be scored.*the answer key is missing/],
  ["hanger", /could not be scored.*no answer from the reward module within/],
  ["notNumbers", /could not be scored.*notNumbers returned NaN/],
  ["tooFew", /could not be scored.*tooFew returned 3 values for 4 completions/],
];

describe.skipIf(!hasModel)("a bad reward module", () => {
  it.each([
    ["there is none", join("no", "such", "module.ts"), /not found/i],
    ["it throws while it loads", here("./unloadable_rewards.ts"), /no such service/],
  ])("is refused: %s", async (_what, path, words) => {
    await refused(
      2,
      "verifier/reward-module",
      words,
      set(`verifier.rewardModule=${path}`, 'verifier.rewards=["never"]'),
    );
  });

  it.each(rewards)("ends the run with what it did: %s", async (name, words) => {
    const run = join(folder, `run-${name}`);
    const settings = set(
      `verifier.rewardModule=${here("./bad_rewards.ts")}`,
      `verifier.rewards=["${name}"]`,
      "verifier.timeoutMs=20",
      "mode=sync",
      "trainer.batchSize=4",
      "trainer.maxRefillWaves=1",
    );
    const ended = await command(tinyTrain(run, ...settings));
    expectRefusal(ended, 1, "loop/no-signal", words);
    expect(ended.stderr).toContain(`--resume ${run}`);
  });
});

describe.skipIf(!hasModel)("a run without room", () => {
  const tight = set("gpu.maxMemoryMiB=16", "trainer.microBatchTokens=8192");

  it("is refused before it begins, with what it needs and settings that fit", async () => {
    const words =
      /needs \d+ MiB of GPU memory.*allows 16 MiB\nHint: It fits with --set trainer\.microBatchTokens=\d+/;
    await refused(1, "gpu/does-not-fit", words, tight);
  });
});

describe.skipIf(!hasModel)("a run directory", () => {
  it("that holds a run is left as it is", async () => {
    const run = join(folder, "taken");
    await mkdir(run);
    await writeFile(join(run, "recipe.json"), "{}");
    expectRefusal(await command(tinyTrain(run)), 1, "runs/exists", /taken: there is one already/);
    expect(existsSync(join(run, "metrics.ndjson"))).toBe(false);
    expect(existsSync(join(run, "recipe.json"))).toBe(true);
  });

  it("that is none cannot be resumed", async () => {
    const resume = (...words: string[]) => command(["train", "--resume", ...words]);
    expectRefusal(await resume(join(folder, "nowhere")), 1, "runs/not-a-run", /recipe\.json is missing/);
    expectRefusal(await resume(folder, "--seed", "3"), 2, "cli/resume-conflict", /--seed with --resume/);
    const broken = join(folder, "broken");
    await mkdir(broken);
    await writeFile(join(broken, "recipe.json"), "{");
    expectRefusal(await resume(broken), 1, "runs/not-a-run", /not JSON/);
  });
});
