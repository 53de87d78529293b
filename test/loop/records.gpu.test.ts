import { afterAll, describe, expect, it } from "vitest";
import { openDiskStorage } from "../../src/runs/disk.ts";
import { openRun } from "../../src/runs/run_directory.ts";
import { computeAdvantages } from "../../src/trainer/advantages.ts";
import type { RolloutRow } from "../../src/training_records.ts";
import { hasModel, removeFolders, tinyRecipe, train } from "./tiny.ts";

afterAll(removeFolders);

async function rowsOf(settings: Record<string, unknown>): Promise<RolloutRow[]> {
  const { folder } = await train(tinyRecipe({ mode: "sync", steps: 2, ...settings }));
  return (await (await openRun(openDiskStorage(folder))).readRollouts()) as RolloutRow[];
}

const furthest = (rows: RolloutRow[]) =>
  Math.max(...rows.flatMap(({ ratios }) => ratios.map((ratio) => Math.abs(ratio - 1))));

describe.skipIf(!hasModel)("the record of a rollout", () => {
  it("has entropy, ratio and advantage of what was trained on", async () => {
    // More than one micro-batch, so that their order is not the batch's.
    const rows = await rowsOf({ trainer: { microBatchTokens: 128 } });
    expect(rows).toHaveLength(32);
    for (const { tokens, entropies, ratios } of rows) {
      expect([entropies.length, ratios.length]).toEqual([tokens, tokens]);
      for (const entropy of entropies) expect(entropy).toBeGreaterThanOrEqual(0);
    }
    expect(Math.max(...rows.flatMap(({ entropies }) => entropies))).toBeGreaterThan(0.5);
    // Sync: the weights that wrote it are those that learn from it, up to four digits.
    expect(furthest(rows)).toBeLessThan(2e-4);
    for (const step of [1, 2]) {
      const batch = rows.filter((row) => row.step === step);
      const groups = [...new Set(batch.map(({ group }) => group))];
      const rewards = groups.map((id) =>
        batch.filter(({ group }) => group === id).map(({ reward }) => reward),
      );
      const want = computeAdvantages(rewards, "magistral");
      batch.forEach(({ advantage }, i) => {
        expect(Math.abs((advantage as number) - want[i])).toBeLessThan(1e-3);
      });
    }
  });

  it("tells with several minibatches how far those before had moved the policy", async () => {
    const rows = await rowsOf({ steps: 1, trainer: { minibatches: 2, learningRate: 5e-3 } });
    const groups = [...new Set(rows.map(({ group }) => group))];
    const half = (ids: number[]) => rows.filter(({ group }) => ids.includes(group));
    expect(furthest(half(groups.slice(0, 2)))).toBeLessThan(2e-4);
    expect(furthest(half(groups.slice(2)))).toBeGreaterThan(1e-2);
  });
});
