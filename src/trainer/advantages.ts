/**
 * Rewards become advantages: groups without signal are recognised, rewards are centred on their group and scaled.
 * Called when a batch is formed. Works on plain numbers; knows nothing of tokens or the GPU.
 */

/**
 * `magistral`: centred on the group, then divided by the population deviation of the centred values over the
 * minibatch's sequences (arXiv:2506.10910 §2.1). `group_std`: centred, divided by the group's own sample deviation
 * (n − 1, as TRL and verl do; arXiv:2402.03300 leaves it open). `group_center`: centred only (Dr. GRPO,
 * arXiv:2503.20783). `batch_std`: centred, divided by the sample deviation of the batch's raw rewards (TRL).
 */
export type AdvantageKind = "magistral" | "group_std" | "group_center" | "batch_std";
export const ADVANTAGE_KINDS: readonly AdvantageKind[] = [
  "magistral",
  "group_std",
  "group_center",
  "batch_std",
];

/** Which groups carry no signal: those whose rewards agree, those whose correctness agrees as well, or none. */
export type DeadGroupFilter = "reward" | "correct" | "none";
export const DEAD_GROUP_FILTERS: readonly DeadGroupFilter[] = ["reward", "correct", "none"];

/** Rewards closer than this, relative to the largest (at least 1), are equal: f32 rounding is no signal. */
const REWARD_NOISE = 1e-6;
/** Added to the sample deviation by `group_std` and `batch_std`, as TRL does; verl adds 1e-6. */
const DEFAULT_EPS = 1e-4;
/** `magistral` never divides by less than this. */
const MIN_DEVIATION = 1e-6;

/**
 * One advantage per sequence, groups one after another. A null reward gets 0 and takes part in no mean and no
 * deviation; so does the only scored sequence of a group.
 * @throws RangeError for a reward that is not finite.
 */
export function computeAdvantages(
  groups: readonly (readonly (number | null)[])[],
  kind: AdvantageKind,
  eps = DEFAULT_EPS,
): Float64Array {
  const advantages = new Float64Array(groups.reduce((sum, rewards) => sum + rewards.length, 0));
  const centred: number[] = [];
  let start = 0;
  for (const rewards of groups) {
    const scored = scoredRewards(rewards);
    const average = mean(scored);
    const scale = kind === "group_std" ? sampleDeviation(scored) + eps : 1;
    for (let i = 0; i < rewards.length; i++) {
      const reward = rewards[i];
      if (reward === null) continue;
      advantages[start + i] = (reward - average) / scale;
      centred.push(reward - average);
    }
    start += rewards.length;
  }
  if (kind === "batch_std") {
    const scale = sampleDeviation(groups.flatMap(scoredRewards)) + eps;
    for (let i = 0; i < advantages.length; i++) advantages[i] /= scale;
  }
  if (kind === "magistral") standardise(advantages, groups, centred);
  return advantages;
}

/** Subtracts the mean of the scored values and divides by their population deviation, in place. */
function standardise(
  advantages: Float64Array,
  groups: readonly (readonly (number | null)[])[],
  scored: readonly number[],
): void {
  const average = mean(scored);
  const scale = Math.max(MIN_DEVIATION, populationDeviation(scored));
  let at = 0;
  for (const rewards of groups) {
    for (const reward of rewards) {
      if (reward !== null) advantages[at] = (advantages[at] - average) / scale;
      at++;
    }
  }
}

/**
 * True when training on the group would teach nothing. `correct` also asks that two answers differ in correctness
 * (verl's filter on accuracy); where nothing was judged for correctness it decides like `reward`.
 * @throws RangeError for a reward that is not finite.
 */
export function isDeadGroup(
  rollouts: readonly { reward: number | null; correct: number | null }[],
  filter: DeadGroupFilter,
): boolean {
  if (filter === "none") return false;
  const rewards = scoredRewards(rollouts.map((rollout) => rollout.reward));
  if (allEqual(rewards)) return true;
  if (filter === "reward") return false;
  const judged = rollouts.flatMap((rollout) =>
    rollout.correct === null || rollout.reward === null ? [] : [rollout.correct],
  );
  return judged.length > 0 && allEqual(judged);
}

function allEqual(values: readonly number[]): boolean {
  if (values.length < 2) return true;
  let low = values[0];
  let high = values[0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low <= REWARD_NOISE * Math.max(1, Math.abs(low), Math.abs(high));
}

function scoredRewards(rewards: readonly (number | null)[]): number[] {
  const scored: number[] = [];
  for (const reward of rewards) {
    if (reward === null) continue;
    if (!Number.isFinite(reward)) {
      throw new RangeError(
        `Cannot form advantages from a reward of ${reward}: a finite number or null is needed`,
      );
    }
    scored.push(reward);
  }
  return scored;
}

/** The mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The deviation with n in the divisor; 0 of nothing. */
export function populationDeviation(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.sqrt(squares(values) / values.length);
}

/** The deviation with n − 1 in the divisor; 0 of fewer than two. */
export function sampleDeviation(values: readonly number[]): number {
  return values.length < 2 ? 0 : Math.sqrt(squares(values) / (values.length - 1));
}

function squares(values: readonly number[]): number {
  const average = mean(values);
  return values.reduce((sum, value) => sum + (value - average) ** 2, 0);
}
