import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasModel, removeFolders, tinyRecipe, train } from "./tiny.ts";

afterAll(removeFolders);

describe.skipIf(!hasModel)("a run", () => {
  it("evaluates, saves and keeps as often as its recipe says", async () => {
    const recipe = tinyRecipe({
      steps: 7,
      trainer: { batchSize: 8 },
      evaluation: { problems: 8, samples: 2, every: 3 },
      checkpoint: { every: 2, keep: 2 },
    });
    const { folder, events, summary } = await train(recipe);
    const told = events.flatMap((event) => {
      if (event.kind === "evaluated") return [`${event.when} ${event.step}`];
      return event.kind === "saved" ? [`saved ${event.step}`] : [];
    });
    // The last step is saved whether or not it is its turn.
    expect(told).toEqual([
      "before 0",
      "saved 2",
      "during 3",
      "saved 4",
      "saved 6",
      "during 6",
      "saved 7",
      "after 7",
    ]);
    expect((await readdir(join(folder, "checkpoints"))).sort()).toEqual(["step-000006", "step-000007"]);
    const lines = (await readFile(join(folder, "metrics.ndjson"), "utf8")).trim().split("\n");
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const evaluations = rows.filter((row) => row.event === "evaluation");
    expect(evaluations.map(({ when, step }) => [when, step])).toEqual([
      ["before", 0],
      ["during", 3],
      ["during", 6],
      ["after", 7],
    ]);
    for (const row of evaluations) expect(row["eval_pass@1"]).toBeGreaterThanOrEqual(0);
    expect(summary).toMatchObject({
      event: "summary",
      steps: 7,
      samples: 7 * 8,
      eval: {
        before: { "pass@1": evaluations[0]["eval_pass@1"] },
        after: { "pass@1": evaluations[3]["eval_pass@1"] },
      },
    });
    expect(JSON.parse(await readFile(join(folder, "summary.json"), "utf8"))).toMatchObject({ ...summary });

    // A finished run that is resumed trains nothing more and finds its first evaluation again.
    const again = await train(recipe, { resume: folder });
    expect(again.summary).toMatchObject({ steps: 7, samples: 7 * 8, eval: { before: summary.eval.before } });
    expect(again.events.filter(({ kind }) => kind === "stepped" || kind === "saved")).toEqual([]);
    // The time is that of the whole run, as the counts are.
    const state = JSON.parse(
      await readFile(join(folder, "checkpoints", "step-000007", "state.json"), "utf8"),
    );
    expect(state.stages.totals.seconds).toBeGreaterThan(0);
    expect(again.summary.wall_s).toBeGreaterThan(state.stages.totals.seconds);
  });

  it("without evaluation says so instead of zeros", async () => {
    const { summary, events } = await train(tinyRecipe({ steps: 1 }));
    expect(summary.eval).toEqual({ before: null, after: null });
    expect(events.some(({ kind }) => kind === "evaluated")).toBe(false);
  });
});
