/** Alerts about what is learned: signal, reward, exploration, length, and the size of updates. */
import { type Rule, WINDOW } from "./alert_rule.ts";
import { numberField } from "./recipe_fields.ts";
import type { RunTable } from "./run_table.ts";
import { bestMean, mean, median, peak, shareAbove, total } from "./window_stats.ts";

const percent = (share: number) => `${Math.round(100 * share)} %`;
const score = (value: number) => value.toFixed(2);

const recent = (run: RunTable, metric: string) => run.column(metric).slice(-WINDOW);

/** Share of right answers in the newest steps; the reward stands in where answers are not judged. */
function solvedShare(run: RunTable): number {
  const right = mean(recent(run, "completions/correct_ratio"));
  return Number.isNaN(right) ? mean(recent(run, "reward")) : right;
}

/** Which way dead groups are dead: counted where the trainer counts it, otherwise told from the mean. */
function deadBecause(run: RunTable): "easy" | "hard" | "both" | "unknown" {
  const solved = total(recent(run, "batch/dead_groups_solved"));
  const unsolved = total(recent(run, "batch/dead_groups_unsolved"));
  if (solved + unsolved > 0) {
    const share = solved / (solved + unsolved);
    return share > 0.8 ? "easy" : share < 0.2 ? "hard" : "both";
  }
  const right = solvedShare(run);
  // Groups of eight that all agree by chance have a mean near an end: 0.8⁸ = 17 % of groups at 80 % right answers.
  return Number.isNaN(right) ? "unknown" : right >= 0.8 ? "easy" : right <= 0.2 ? "hard" : "both";
}

/** From half on, more is generated for nothing than for learning; from four fifths on, five times what is needed. */
const DEAD_NOTE = 0.5;
const DEAD_WARN = 0.8;

const deadGroups: Rule = (run, recipe) => {
  const share = mean(recent(run, "frac_reward_zero_std"));
  if (!(share >= DEAD_NOTE)) return null;
  const size = numberField(recipe, "trainer.groupSize");
  const because = deadBecause(run);
  const right = mean(recent(run, "completions/correct_ratio"));
  const known = Number.isNaN(right) ? "" : ` (${percent(right)} of all answers are right)`;
  const words = {
    easy: `the task is too easy for this model${known}`,
    hard: `the task is too hard for this model${known}`,
    both: `some problems are too easy for this model and others too hard${known}`,
    unknown: "the task is too easy or too hard for this model",
  }[because];
  const advice = {
    easy: "Stop here, or go on with a harder task: raise its numbers in `task.options`.",
    hard: "Begin with an easier task, start from a model that solves some of it, or raise `trainer.groupSize` and `generator.temperature` so that some completions succeed.",
    both: "Narrow the task to problems of middle difficulty in `task.options`, or raise `trainer.groupSize`.",
    unknown: "Look into the rollouts: if they are right, choose a harder task; if wrong, an easier one.",
  }[because];
  return {
    id: "dead-groups",
    chart: "dead_groups",
    // A task that has been learned is no fault.
    level: share >= DEAD_WARN && because !== "easy" ? "warn" : "note",
    message:
      `All ${size ?? ""} completions of ${percent(share)} of groups get the same reward: ${words}.`.replace(
        "  ",
        " ",
      ),
    advice,
  };
};

/**
 * Measured against the spread between completions, since rewards have no unit. A mean over ten steps of 256 completions is
 * off by 2 % of that spread: a quarter of it is no chance, even where problems differ; three quarters is a collapse.
 */
const FALL_NOTE = 0.25;
const FALL_WARN = 0.75;

const rewardFell: Rule = (run) => {
  const rewards = run.column("reward");
  if (rewards.length < 2 * WINDOW) return null;
  const now = mean(rewards.slice(-WINDOW));
  const best = bestMean(rewards, WINDOW, WINDOW);
  const spread = mean(run.column("reward_std"));
  const fall = (best - now) / spread;
  if (!(fall >= FALL_NOTE && spread > 0)) return null;
  return {
    id: "reward-fell",
    chart: "reward",
    level: fall >= FALL_WARN ? "warn" : "note",
    message: `The reward fell from ${score(best)} to ${score(now)}.`,
    advice:
      "Lower `trainer.learningRate` to a half or a third and go on from a checkpoint before the fall. Look at entropy and mismatch there.",
  };
};

/** A tenth of what it began with: samples of one prompt are then nearly copies, and a group has little to compare. */
const ENTROPY_LEFT = 0.1;
/** What is solved may be certain. */
const SOLVED = 0.9;
const FIRST_STEPS = 5;

const entropyCollapsed: Rule = (run) => {
  const entropies = run.column("entropy");
  if (entropies.length < FIRST_STEPS + WINDOW) return null;
  const first = mean(entropies.slice(0, FIRST_STEPS));
  const now = mean(entropies.slice(-WINDOW));
  const solved = solvedShare(run);
  if (!(now < ENTROPY_LEFT * first) || solved >= SOLVED) return null;
  return {
    id: "entropy-collapsed",
    chart: "entropy",
    level: "warn",
    message: `Entropy fell to ${percent(now / first)} of what it was, with the task unsolved: the model has stopped trying other answers.`,
    advice:
      "Raise `trainer.epsilonHigh` (0.3 to 0.4 lets rare tokens grow) or `generator.temperature`; lower `trainer.learningRate` if it fell within a few steps.",
  };
};

/** A tenth is paid for every step without an answer to judge; from three tenths on, length is what decides the reward. */
const CUT_NOTE = 0.1;
const CUT_WARN = 0.3;

const truncated: Rule = (run, recipe) => {
  const share = mean(recent(run, "completions/clipped_ratio"));
  if (!(share >= CUT_NOTE)) return null;
  const longest = numberField(recipe, "generator.maxTokens");
  return {
    id: "truncated",
    chart: "length",
    level: share >= CUT_WARN ? "warn" : "note",
    message: `${percent(share)} of completions are cut${longest === null ? "" : ` at ${longest} tokens`} before they give an answer.`,
    advice: `Raise \`generator.maxTokens\`${longest === null ? "" : ` (to ${Math.ceil(longest * 1.5)}, say)`}, if memory allows. If they ramble rather than think, lower \`verifier.lengthMax\` so that length costs reward.`,
  };
};

/** Norms are spread by about a third around their middle: five times the middle does not come by chance. */
const SPIKE = 5;
const USUAL_STEPS = 50;
/** Clipping is meant for outliers; where it cuts most steps, it is the learning rate. */
const OFTEN_CLIPPED = 0.5;

const gradientSpike: Rule = (run) => {
  const norms = run.column("grad_norm");
  const usual = median(norms.slice(-USUAL_STEPS));
  const highest = peak(norms.slice(-WINDOW));
  if (norms.length < 2 * WINDOW || highest === null || !(highest.value >= SPIKE * usual)) return null;
  const step = run.xs("step")[Math.max(0, norms.length - WINDOW) + highest.index];
  return {
    id: "gradient-spike",
    chart: "gradient",
    level: "warn",
    message: `The gradient norm jumped to ${score(highest.value)} at step ${step}, ${Math.round(highest.value / usual)} times the usual.`,
    advice:
      "Watch the reward. If spikes come again, lower `trainer.learningRate` or `trainer.maxGradNorm`, or raise `trainer.batchSize`.",
  };
};

const gradientClipped: Rule = (run, recipe) => {
  const limit = numberField(recipe, "trainer.maxGradNorm");
  if (!limit) return null;
  const share = shareAbove(recent(run, "grad_norm"), limit);
  if (!(share > OFTEN_CLIPPED)) return null;
  return {
    id: "gradient-clipped",
    chart: "gradient",
    level: "note",
    message: `Gradients are scaled down to ${limit} in ${percent(share)} of steps: clipping has taken over from the learning rate.`,
    advice:
      "Lower `trainer.learningRate`, raise `trainer.batchSize`, or raise `trainer.maxGradNorm` if the reward rises well.",
  };
};

export const learningRules: readonly Rule[] = [
  deadGroups,
  rewardFell,
  entropyCollapsed,
  truncated,
  gradientSpike,
  gradientClipped,
];
