/** Metrics of a batch's completions and rewards, by TRL's definitions, from the rewarded groups alone. */
import type { RewardedGroup } from "../rollout.ts";

/** Rewards closer than this are equal: sums of the same parts may differ in their last bits. */
const equalWithin = 1e-9;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard deviation with n − 1; NaN for fewer than two values, as there is none. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1));
}

function present(values: readonly (number | null | undefined)[]): number[] {
  return values.filter((value) => value !== null && value !== undefined && !Number.isNaN(value)) as number[];
}

function extremes(values: readonly number[]): { least: number; most: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { least, most };
}

/** Whether a group's scored rewards are all equal, so that it gives no gradient; so does one with none scored. */
export function hasEqualRewards(group: RewardedGroup): boolean {
  const { least, most } = extremes(present(group.rollouts.map(({ reward }) => reward)));
  return !(most - least > equalWithin);
}

/** `completions/…`, `reward`, `reward_std`, `rewards/…` and `frac_reward_zero_std`; NaN where there is no value. */
export function completionMetrics(groups: readonly RewardedGroup[]): Record<string, number> {
  const rollouts = groups.flatMap((group) => group.rollouts);
  if (rollouts.length === 0) return {};
  const lengths = rollouts.map(({ completionTokens }) => completionTokens.length);
  const ended = rollouts
    .filter(({ finishReason }) => finishReason === "stop")
    .map(({ completionTokens }) => completionTokens.length);
  const all = extremes(lengths);
  const terminated = ended.length > 0 ? extremes(ended) : { least: 0, most: 0 };
  const rewards = present(rollouts.map(({ reward }) => reward));
  const correct = present(rollouts.map((rollout) => rollout.correct));
  const flat = groups.filter(hasEqualRewards).reduce((sum, group) => sum + group.rollouts.length, 0);
  const metrics: Record<string, number> = {
    reward: mean(rewards),
    reward_std: deviation(rewards),
    frac_reward_zero_std: flat / rollouts.length,
    "completions/mean_length": mean(lengths),
    "completions/min_length": all.least,
    "completions/max_length": all.most,
    "completions/clipped_ratio": 1 - ended.length / rollouts.length,
    "completions/mean_terminated_length": ended.length > 0 ? mean(ended) : 0,
    "completions/min_terminated_length": terminated.least,
    "completions/max_terminated_length": terminated.most,
    "completions/correct_ratio": mean(correct),
  };
  for (const name of new Set(rollouts.flatMap((rollout) => Object.keys(rollout.rewards)))) {
    const values = present(rollouts.map((rollout) => rollout.rewards[name]));
    // A slash would split the metric's name.
    const key = name.replaceAll("/", "_");
    metrics[`rewards/${key}/mean`] = mean(values);
    metrics[`rewards/${key}/std`] = deviation(values);
  }
  return metrics;
}
