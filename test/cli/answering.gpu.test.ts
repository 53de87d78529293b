/** `eval` and `generate` as the command line runs them, on a policy of random weights written to a folder of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { modelFolderFiles } from "../../src/runs/model_folder.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { scopeEntries } from "../../src/tasks/scope.ts";
import { buildCharTokenizer } from "../../src/text/char_tokenizer.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";
import { runInProcess } from "./in_process.ts";

const folder = mkdtempSync(join(tmpdir(), "webgrpo-answering-"));
const WORDING = "State the final answer to the following arithmetic problem:";
const rows = [`${WORDING} 1 + 2 =`, `${WORDING} 11 + 12 =`, `${WORDING} 5 - 2 + 4 =`, "Wie viel ist 1 + 2?"];

beforeAll(async () => {
  const task = makeTask("chain_sum", {}, 0);
  const tokenizerFiles = buildCharTokenizer(task.vocabulary!());
  const tokenizer = await loadTokenizer(tokenizerFiles);
  const config = smallLlamaConfig({
    vocabSize: 28,
    width: 32,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    mlpWidth: 48,
    maxPositions: 64,
    eosId: tokenizer.eosIds[0],
    padId: tokenizer.padId,
  });
  const model = { config, tensors: freshWeights(config, 3), ...tokenizerFiles };
  const generationConfig = { ...tokenizerFiles.generationConfig, ...scopeEntries(task, 12) };
  const files = modelFolderFiles({ ...model, generationConfig });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  const lines = rows.map((question) => JSON.stringify({ question, answer: "3" }));
  writeFileSync(join(folder, "rows.jsonl"), `${lines.join("\n")}\n`);
});

afterAll(() => rmSync(folder, { recursive: true }));

const run = (...words: string[]) => runInProcess(words, { cwd: folder });

describe("eval", () => {
  it("asks the rows that the policy was made for and refuses the others by number", async () => {
    const { code, stdout, stderr } = await run(
      "eval",
      "--model",
      ".",
      "--data",
      "rows.jsonl",
      "--samples",
      "4",
    );
    expect(stderr).toMatch(/^Refused 2 of 4 problems:\n.*\(chain_sum\): row 2, 4\n$/);
    expect(code).toBe(0);
    for (const name of ["pass@1", "pass@4", "maj@4", "mean length", "truncated share"])
      expect(stdout).toContain(name);
  });

  it("gives one JSON object, the same for the same seed", async () => {
    const words = ["eval", "--model", ".", "--task", "chain_sum", "--limit", "9", "--samples", "2", "--json"];
    const [first, second, other] = [
      await run(...words, "--seed", "1"),
      await run(...words, "--seed", "1"),
      await run(...words, "--seed", "2"),
    ];
    const read = ({ stdout }: { stdout: string }) => ({ ...JSON.parse(stdout), wall_s: 0 });
    expect(read(first)).toMatchObject({
      event: "summary",
      task: "chain_sum",
      problems: 9,
      samples: 2,
      completions: 18,
    });
    expect(read(first).mean_length).toBeLessThanOrEqual(12);
    expect(read(second)).toEqual(read(first));
    expect(read(other).generated_tokens).not.toBe(read(first).generated_tokens);
  });

  it("counts shorter completions where a text ends them", async () => {
    const words = ["eval", "--model", ".", "--task", "chain_sum", "--limit", "9", "--samples", "4", "--json"];
    const free = JSON.parse((await run(...words)).stdout);
    const digits = [..."0123456789"].flatMap((digit) => ["--stop", digit]);
    const cut = JSON.parse((await run(...words, ...digits)).stdout);
    expect(cut.mean_length).toBeLessThan(free.mean_length);
    expect(cut.clipped_ratio).toBeLessThan(free.clipped_ratio);
    expect(cut.generated_tokens).toBe(36 * cut.mean_length);
  });

  it.each([
    [["--task", "chain_sum", "--data", "rows.jsonl"], 2, "cli/bad-source"],
    [[], 2, "cli/bad-source"],
    [["--task", "chain_sums"], 2, "config/unknown-task"],
    [["--data", "none.jsonl"], 1, "data/no-file"],
    [["--task", "sorting"], 1, "evaluation/out-of-scope"],
    [["--task", "chain_sum", "--max-tokens", "64"], 2, "generator/no-room"],
  ])("refuses %j with exit code %i", async (words, wanted, name) => {
    const { code, stdout, stderr } = await run("eval", "--model", ".", ...words);
    expect([code, stdout]).toEqual([wanted, ""]);
    expect(stderr).toContain(`[${name}]`);
  });
});

describe("generate", () => {
  const prompt = rows[0];

  it("prints token ids, one JSON array a sample, and streams the same tokens as text", async () => {
    const words = ["generate", "--model", ".", "--prompt", prompt, "--samples", "5", "--seed", "4"];
    const [ids, text, json] = [
      await run(...words, "--ids"),
      await run(...words),
      await run(...words, "--json"),
    ];
    const completions = ids.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as number[]);
    expect(completions).toHaveLength(5);
    expect(new Set(completions.map((one) => one.join())).size).toBeGreaterThan(1);
    expect(completions.every(({ length }) => length >= 1 && length <= 12)).toBe(true);
    const objects = json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(objects.map((one) => one.ids)).toEqual(completions);
    expect(text.stdout).toBe(objects.map((one) => `${one.text}\n`).join(""));
    expect([ids.code, ids.stderr, text.code, json.code]).toEqual([0, "", 0, 0]);
  });

  it("gives the most probable tokens at temperature 0, whatever the seed and however the prompt was given", async () => {
    const tokenizer = await loadTokenizer(buildCharTokenizer(makeTask("chain_sum", {}, 0).vocabulary!()));
    const greedy = ["--temperature", "0", "--ids", "--max-tokens", "9"];
    const typed = await run("generate", "--model", ".", "--prompt", prompt, "--seed", "1", ...greedy);
    const given = await run(
      "generate",
      "--model",
      ".",
      "--prompt-ids",
      `${tokenizer.encode(prompt)}`,
      ...greedy,
    );
    expect(given.stdout).toBe(typed.stdout);
    const sampled = await run(
      "generate",
      "--model",
      ".",
      "--prompt",
      prompt,
      "--top-k",
      "1",
      "--ids",
      "--max-tokens",
      "9",
    );
    expect(sampled.stdout).toBe(typed.stdout);
  });

  it("ends a completion at the first of its stop texts, which stays in it", async () => {
    const words = ["generate", "--model", ".", "--prompt", prompt, "--samples", "6", "--seed", "4", "--json"];
    const read = ({ stdout }: { stdout: string }) =>
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { text: string; ids: number[]; finish_reason: string });
    const free = read(await run(...words));
    const cut = read(await run(...words, "--stop", "3", "--stop", " "));
    for (const [i, { text, ids, finish_reason }] of cut.entries()) {
      // One character is one token here, but for the wording of the task.
      const at = free[i].text.search(/[3 ]/);
      if (at < 0) expect(ids).toEqual(free[i].ids);
      else {
        expect(free[i].text.startsWith(text)).toBe(true);
        expect([text.search(/[3 ]/), finish_reason]).toEqual([at, "stop"]);
      }
    }
    expect(cut.some(({ ids }, i) => ids.length < free[i].ids.length)).toBe(true);
    const refused = await run("generate", "--model", ".", "--prompt", prompt, "--stop", "");
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("[generator/empty-stop]")]);
  });

  it.each([
    [[], 2, "cli/bad-prompt"],
    [["--prompt", "1", "--prompt-ids", "1"], 2, "cli/bad-prompt"],
    [["--prompt", ""], 2, "cli/bad-prompt"],
    [["--prompt", "ж"], 1, "text/no-token"],
    [["--prompt-ids", "1,28"], 1, "text/no-token"],
    [["--prompt", "1", "--max-tokens", "63"], 0, ""],
    [["--prompt", "12", "--max-tokens", "63"], 2, "generator/no-room"],
  ])("with %j ends with exit code %i", async (words, wanted, name) => {
    const { code, stderr } = await run("generate", "--model", ".", ...words);
    expect(code).toBe(wanted);
    expect(stderr).toContain(name === "" ? "" : `[${name}]`);
  });
});
