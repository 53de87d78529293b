import { describe, expect, it } from "vitest";
import { completionMetrics, hasEqualRewards } from "../../src/metrics/completions.ts";
import { metricEntry } from "../../src/metrics/names.ts";
import type { RewardedGroup, RewardedRollout } from "../../src/rollout.ts";

type Sketch = Pick<RewardedRollout, "reward" | "correct" | "finishReason" | "rewards"> & { length: number };
const rollout = ({ length, ...given }: Sketch): RewardedRollout => ({
  id: 0,
  groupId: 0,
  problemId: "p",
  taskId: "t",
  promptTokens: Uint32Array.of(1),
  completionTokens: new Uint32Array(length),
  generatorLogprobs: new Float32Array(length),
  generatorEntropies: new Float32Array(length),
  policyVersions: new Int32Array(length),
  temperature: 1,
  completion: "",
  verdicts: [],
  ...given,
});
const group = (...sketches: Partial<Sketch>[]): RewardedGroup => ({
  groupId: 0,
  problem: { id: "p", taskId: "t", prompt: "", answer: null, columns: {} },
  rollouts: sketches.map((sketch) =>
    rollout({ reward: 0, correct: null, finishReason: "stop", rewards: {}, length: 1, ...sketch }),
  ),
});

describe("completionMetrics()", () => {
  it("agrees with figures worked out by hand", () => {
    const metrics = completionMetrics([
      group(
        { reward: 1, length: 4, rewards: { exact: 1, "a/b": 0.5 }, correct: 1 },
        { reward: 0, length: 8, rewards: { exact: 0, "a/b": 0.5 }, correct: 0, finishReason: "length" },
      ),
      group({ reward: 0.5, length: 2, rewards: { exact: null } }, { reward: 0.5, length: 6, correct: 1 }),
    ]);
    expect(metrics).toEqual({
      reward: 0.5,
      // Squares 0.25 + 0.25 over n − 1 = 3.
      reward_std: Math.sqrt(0.5 / 3),
      frac_reward_zero_std: 0.5,
      "completions/mean_length": 5,
      "completions/min_length": 2,
      "completions/max_length": 8,
      "completions/clipped_ratio": 0.25,
      "completions/mean_terminated_length": 4,
      "completions/min_terminated_length": 2,
      "completions/max_terminated_length": 6,
      "completions/correct_ratio": 2 / 3,
      "rewards/exact/mean": 0.5,
      "rewards/exact/std": Math.sqrt(0.5),
      "rewards/a_b/mean": 0.5,
      "rewards/a_b/std": 0,
    });
    for (const name of Object.keys(metrics)) expect(metricEntry(name), name).not.toBeNull();
  });

  it("gives 0 for terminated lengths where none terminated, NaN where nothing was scored", () => {
    const metrics = completionMetrics([group({ reward: null, finishReason: "length", length: 9 })]);
    expect(metrics["completions/mean_terminated_length"]).toBe(0);
    expect(metrics["completions/max_terminated_length"]).toBe(0);
    expect(metrics["completions/clipped_ratio"]).toBe(1);
    expect(metrics.reward).toBeNaN();
    expect(metrics.reward_std).toBeNaN();
    expect(metrics.frac_reward_zero_std).toBe(1);
    expect(completionMetrics([])).toEqual({});
  });

  it("takes rewards that differ in their last bits for equal", () => {
    expect(hasEqualRewards(group({ reward: 0.1 + 0.2 }, { reward: 0.3 }, { reward: null }))).toBe(true);
    expect(hasEqualRewards(group({ reward: 0.3 }, { reward: 0.31 }))).toBe(false);
  });
});
