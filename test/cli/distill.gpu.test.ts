/** `distill` as the command line runs it: a small policy from a teacher, and one that goes on from it. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { modelFolderFiles } from "../../src/runs/model_folder.ts";
import { quietInterrupt, runInProcess } from "./in_process.ts";

const folder = mkdtempSync(join(tmpdir(), "webgrpo-distill-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A policy small enough for a software adapter. */
const SMALL = ["width=16", "layers=1", "heads=2", "kvHeads=1", "mlpWidth=24", "maxPositions=96"].flatMap(
  (one) => ["--set", `model.${one}`],
);

const distill = (out: string, ...words: string[]) =>
  runInProcess(["distill", "--task", "digits", "--out", out, "--batch-size", "8", ...words], { cwd: folder });
const rowsOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, number | string>);

describe("distill", () => {
  it("writes a policy that has learnt from its teacher, and goes on from it", async () => {
    const first = await distill("first", "--steps", "150", ...SMALL, "--json");
    expect(first.code, first.stderr).toBe(0);
    const rows = rowsOf(first.stdout);
    const told = rows.map(({ event, step, steps }) => `${event} ${step ?? steps}`);
    expect(told).toEqual([...[25, 50, 75, 100, 125, 150].map((step) => `distill ${step}`), "summary 150"]);
    const losses = rows.slice(0, -1).map(({ loss }) => Number(loss));
    const [early, late] = [losses[0], losses.at(-1)!];
    expect(late).toBeLessThan(0.8 * early);
    const model = await loadModelFiles(await openModelFolder(join(folder, "first")));
    expect(model.config).toMatchObject({ width: 16, layers: 1, heads: 2, kvHeads: 1, maxPositions: 96 });

    const eager = ["--learning-rate", "1e-3", "--seed", "1", "--json"];
    const second = await distill("second", "--model", "first", "--steps", "25", ...eager);
    expect(second.code, second.stderr).toBe(0);
    expect(Number(rowsOf(second.stdout)[0].loss)).toBeLessThan(early);

    const words = [
      "eval",
      "--model",
      "second",
      "--task",
      "digits",
      "--limit",
      "4",
      "--samples",
      "1",
      "--json",
    ];
    const judged = await runInProcess(words, { cwd: folder });
    expect(rowsOf(judged.stdout).at(-1)).toMatchObject({ task: "digits", problems: 4 });
  });

  it("writes what it has when it is interrupted, and says how far it came", async () => {
    const interrupt = quietInterrupt();
    interrupt.request();
    const words = [
      "distill",
      "--task",
      "digits",
      "--out",
      "cut",
      "--batch-size",
      "8",
      "--steps",
      "9",
      ...SMALL,
    ];
    const { code, stdout } = await runInProcess(words, { cwd: folder, interrupt });
    expect(code).toBe(130);
    expect(stdout).toContain("after 0 of 9 steps");
    expect(interrupt.goal).toContain("saving");
    const { config } = await loadModelFiles(await openModelFolder(join(folder, "cut")));
    expect(config.width).toBe(16);
  });

  it("ends and writes nothing where the weights are not finite", async () => {
    const interrupt = quietInterrupt();
    interrupt.request();
    const words = ["distill", "--task", "digits", "--out", "fresh", ...SMALL];
    await runInProcess(words, { cwd: folder, interrupt });
    const model = await loadModelFiles(await openModelFolder(join(folder, "fresh")));
    model.tensors.get("model.norm.weight")!.data[0] = Number.NaN;
    mkdirSync(join(folder, "spoilt"));
    for (const [name, bytes] of Object.entries(modelFolderFiles(model)))
      writeFileSync(join(folder, "spoilt", name), bytes);
    const { code, stderr } = await distill("none", "--model", "spoilt", "--steps", "25");
    expect(stderr).toContain("[trainer/not-finite]");
    expect(code).toBe(1);
    expect(readdirSync(join(folder, "none"))).toEqual([]);
  });

  it.each([
    [["--set", "model.widht=64"], 2, "config/unknown-key", "width"],
    [["--set", "model.width=abc"], 2, "config/bad-value", "width"],
    [["--set", "model.width=30"], 2, "config/bad-value", "multiple of 8"],
    [["--set", "model.kvHeads=3"], 2, "config/bad-value", "divides"],
    [["--set", "model.maxPositions=16"], 2, "config/contradiction", "model.maxPositions=N"],
    [["--set", "width=64"], 2, "config/bad-set", "model.KEY"],
    [["--set", "teacher.mood=1"], 2, "config/unknown-key", "teacher of digits"],
    [["--model", "builtin:chain-sum", "--set", "model.width=64"], 2, "config/contradiction", "--model"],
    [["--model", "nowhere"], 1, "model/no-folder", "nowhere"],
  ])("refuses %j before anything is written", async (words, expected, error, named) => {
    const { code, stderr } = await distill("refused", ...words);
    expect(stderr).toContain(`[${error}]`);
    expect(stderr).toContain(named);
    expect(code).toBe(expected);
    expect(readdirSync(folder)).not.toContain("refused");
  });

  it("leaves a run's checkpoint as it is", async () => {
    mkdirSync(join(folder, "checkpoint"));
    writeFileSync(join(folder, "checkpoint", "state.json"), "{}");
    expect((await distill("checkpoint", ...SMALL)).stderr).toContain("[runs/exists]");
    expect(readdirSync(join(folder, "checkpoint"))).toEqual(["state.json"]);
  });
});
