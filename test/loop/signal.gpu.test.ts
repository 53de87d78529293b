import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { latestCheckpoint } from "../../src/runs/checkpoint.ts";
import { openDiskStorage } from "../../src/runs/disk.ts";
import { caught, hasModel, removeFolders, tinyRecipe, train, withoutTiming } from "./tiny.ts";

const rewardModule = fileURLToPath(new URL("./user_rewards.ts", import.meta.url));
const by = (reward: string, settings: Record<string, unknown> = {}) =>
  tinyRecipe({ verifier: { rewardModule, rewards: [reward] }, ...settings });

afterAll(removeFolders);

describe.skipIf(!hasModel)("groups without signal", () => {
  it("end the run when there are no others, and nothing of it is lost", async () => {
    const folders: string[] = [];
    const recipe = by("fading", { steps: 4, trainer: { batchSize: 8, maxRefillWaves: 3 } });
    const error = await caught(train(recipe, { onFolder: (folder) => folders.push(folder) }));
    expect(error).toMatchObject({ name: "WebgrpoError", code: "loop/no-signal" });
    // The reward fades by what has been graded, and how much is graded ahead of a step depends on the time it takes.
    const [, step] = /batch of step (\d) .* equal rewards/.exec(error.message) ?? [];
    expect([3, 4]).toContain(Number(step));
    expect(error.hint).toContain("verifier.rewards");
    expect((await latestCheckpoint(openDiskStorage(folders[0])))?.state.step).toBe(Number(step) - 1);
  });

  it("end the run at its first step as well, within as many groups as the recipe allows", async () => {
    const error = await caught(train(by("constant", { trainer: { batchSize: 8, maxRefillWaves: 2 } })));
    expect(error).toMatchObject({ code: "loop/no-signal" });
    // Two groups make a batch: four may die, and as many as were under way by then.
    const groups = Number(/from (\d+) groups/.exec(error.message)?.[1]);
    expect(groups).toBeGreaterThanOrEqual(4);
    expect(groups).toBeLessThanOrEqual(4 + 4);
  });

  it("leave smaller batches where only some are alive, the same ones in every sync run", async () => {
    const recipe = by("rare", {
      mode: "sync",
      steps: 2,
      trainer: { batchSize: 8, groupSize: 2, maxRefillWaves: 1 },
    });
    const first = await train(recipe);
    const sizes = first.metrics.map((row) => row["batch/samples_per_step"] as number);
    expect(sizes).toHaveLength(2);
    for (const size of sizes) expect([2, 4, 6, 8]).toContain(size);
    expect(Math.min(...sizes)).toBeLessThan(8);
    expect(first.summary.samples).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(withoutTiming((await train(recipe)).metrics)).toEqual(withoutTiming(first.metrics));
  });

  it("may log what they like", async () => {
    const { metrics } = await train(by("clashing", { steps: 1 }));
    expect(metrics[0]).toMatchObject({ "user/reward": 7, "my/metric": 7 });
    expect(metrics[0].reward).toBeCloseTo(1.5, 6);
  });
});

describe.skipIf(!hasModel)("rewards that have nothing to do with the completions", () => {
  it("teach nothing, where the right ones teach much", async () => {
    // Weight 0: the right reward is measured in both runs and counts in one.
    const gain = async (weights: number[]) => {
      const { summary } = await train(
        tinyRecipe({
          mode: "sync",
          steps: 6,
          verifier: { rewardModule, rewards: ["magistral", "noise"], weights },
          generator: { concurrency: 64 },
          trainer: { groupSize: 8, batchSize: 32, microBatchTokens: 2048, learningRate: 6e-4 },
          evaluation: { problems: 48, samples: 2 },
        }),
      );
      const { before, after } = summary.eval;
      return after!["pass@1"] - before!["pass@1"];
    };
    const [right, shuffled] = [await gain([1, 0]), await gain([0, 1])];
    expect(shuffled).toBeLessThan(0.1);
    expect(right).toBeGreaterThan(shuffled + 0.1);
  });
});
