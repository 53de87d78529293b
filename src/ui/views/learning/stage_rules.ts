/** Alerts about how the stages work together: two policies that drift apart, and who waits for whom. */
import { type Rule, WINDOW } from "./alert_rule.ts";
import { numberField, textField } from "./recipe_fields.ts";
import type { RunTable } from "./run_table.ts";
import { mean, total } from "./window_stats.ts";

const percent = (share: number) => `${Math.round(100 * share)} %`;

const recent = (run: RunTable, metric: string) => run.column(metric).slice(-WINDOW);

/**
 * The estimate is half the variance of the log ratio where that is small: 0.01 means that a token's probability typically
 * differs by 14 %, the bound that this project's own runs are tested to; 0.05 by 32 %, beyond both usual clips (0.8 and 1.28).
 */
const MISMATCH_NOTE = 0.01;
const MISMATCH_WARN = 0.05;

const mismatch: Rule = (run, recipe) => {
  const divergence = mean(recent(run, "trainer/mismatch_kl"));
  if (!(divergence >= MISMATCH_NOTE)) return null;
  const staleness = mean(recent(run, "sample/staleness_mean"));
  const bound = numberField(recipe, "trainer.maxStaleness");
  const isStale = staleness >= 0.5 && bound !== 0;
  return {
    id: "mismatch",
    chart: "mismatch",
    level: divergence >= MISMATCH_WARN ? "warn" : "note",
    message: `The trainer's policy is far from the one that sampled: a mismatch KL of ${divergence.toPrecision(2)}${isStale ? `, with completions ${staleness.toFixed(1)} versions old` : " although completions are fresh"}.`,
    advice: isStale
      ? "Lower `trainer.maxStaleness` or `trainer.learningRate`, so that less changes between sampling and training."
      : "Generator and trainer compute different probabilities for the same weights: use the same `weights.dtype` as the trainer, turn `generator.topK`, `topP` and `minP` off, and run the conformance check.",
  };
};

/** A fifth of the tokens without a gradient from the side that is clipped: much of the batch is spent for nothing. */
const CLIPPED_NOTE = 0.2;

const clipped: Rule = (run) => {
  const share = mean(recent(run, "clip_ratio/region_mean"));
  if (!(share >= CLIPPED_NOTE)) return null;
  return {
    id: "clipped",
    chart: "mismatch",
    level: "note",
    message: `${percent(share)} of tokens are clipped and teach nothing.`,
    advice:
      "Lower `trainer.learningRate` or `trainer.maxStaleness`; or widen `trainer.epsilonHigh` if it is the upper side.",
  };
};

/** Dropped groups were generated and scored for nothing: a tenth is a tenth of the generator. */
const DROPPED_WARN = 0.1;
/** Close to the bound all the time. With a bound of 1 that is how an async run works, and says nothing. */
const AT_BOUND = 0.95;

const stale: Rule = (run, recipe) => {
  const bound = numberField(recipe, "trainer.maxStaleness");
  const dropped = total(recent(run, "sample/dropped_stale_total"));
  const used = total(recent(run, "batch/groups_per_step"));
  const share = dropped / (dropped + used);
  if (dropped > 0 && share >= DROPPED_WARN)
    return {
      id: "dropped-stale",
      chart: "staleness",
      level: "warn",
      message: `${percent(share)} of groups are dropped because they are more than ${bound ?? "the allowed number of"} versions old.`,
      advice:
        "Raise `trainer.maxStaleness`, or lower `generator.concurrency` so that less is under way at once.",
    };
  const staleness = mean(recent(run, "sample/staleness_mean"));
  if (bound === null || bound < 2 || !(staleness >= AT_BOUND * bound)) return null;
  return {
    id: "staleness-bound",
    chart: "staleness",
    level: "note",
    message: `Completions are ${staleness.toFixed(1)} versions old on average, at the bound of ${bound}.`,
    advice:
      "The generator runs ahead as far as it may. If the mismatch grows, lower `trainer.maxStaleness` or `generator.concurrency`; if not, leave it.",
  };
};

/** Below a third, waiting is the price of two stages that are never equally fast; from there the other one sets the pace. */
const WAIT_NOTE = 1 / 3;
/** Most of what is generated is thrown away: then refilling batches is what takes so long. */
const REFILLING = 0.5;

const trainerWaits: Rule = (run, recipe) => {
  const share = mean(recent(run, "trainer/idle_ratio"));
  if (!(share >= WAIT_NOTE)) return null;
  const dead = mean(recent(run, "frac_reward_zero_std"));
  const concurrency = numberField(recipe, "generator.concurrency");
  const advice =
    textField(recipe, "mode") === "sync"
      ? "In sync mode the stages take turns. Set `mode` to `async` to let them overlap."
      : dead >= REFILLING
        ? "Dead groups have to be replaced, which takes the generator's time: mend those first."
        : `The generator sets the pace: raise \`generator.concurrency\`${concurrency === null ? "" : ` (now ${concurrency})`}, or on another GPU \`generator.workers\`; or shorten \`generator.maxTokens\`.`;
  return {
    id: "trainer-waits",
    chart: "speed",
    level: "note",
    message: `The trainer waits for rollouts ${percent(share)} of its time.`,
    advice,
  };
};

const generatorWaits: Rule = (run, recipe) => {
  const share = mean(recent(run, "generator/idle_ratio"));
  if (!(share >= WAIT_NOTE)) return null;
  const bound = numberField(recipe, "trainer.maxStaleness");
  const advice =
    textField(recipe, "mode") === "sync"
      ? "In sync mode the stages take turns. Set `mode` to `async` to let them overlap."
      : `The trainer sets the pace: raise \`trainer.maxStaleness\`${bound === null ? "" : ` (now ${bound})`} to let the generator run further ahead, or raise \`trainer.microBatchTokens\` if memory allows, so that training takes less time.`;
  return {
    id: "generator-waits",
    chart: "speed",
    level: "note",
    message: `The generators wait ${percent(share)} of their time until they may start new groups.`,
    advice,
  };
};

export const stageRules: readonly Rule[] = [mismatch, clipped, stale, trainerWaits, generatorWaits];
