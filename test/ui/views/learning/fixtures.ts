/** Runs made by hand for the tests of the Learning view. */
import type { EvaluationRow, StepRow } from "../../../../src/ui/state/records.ts";
import { RunTable } from "../../../../src/ui/views/learning/run_table.ts";

type Values = Record<string, number | null | ((index: number) => number | null)>;

/** `count` steps of two seconds and a thousand tokens each, and what is given. */
export function stepsOf(count: number, values: Values = {}): StepRow[] {
  return Array.from({ length: count }, (_, index) => ({
    step: index + 1,
    step_time: 2,
    num_tokens: 1000 * (index + 1),
    ...Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === "function" ? value(index) : value,
      ]),
    ),
  }));
}

export function evaluationOf(step: number, when: EvaluationRow["when"], passAt1: number): EvaluationRow {
  return { step, when, metrics: { "pass@1": passAt1 }, samples: [] };
}

export function tableOf(count: number, values: Values = {}, evaluations: EvaluationRow[] = []): RunTable {
  return new RunTable("run", stepsOf(count, values), evaluations);
}

/** A sound run: nothing to warn of. */
export const SOUND: Values = {
  reward: (index) => 0.4 + 0.01 * index,
  reward_std: 0.4,
  frac_reward_zero_std: 0.2,
  "completions/correct_ratio": 0.5,
  "completions/clipped_ratio": 0.01,
  entropy: 0.2,
  grad_norm: (index) => 0.3 + 0.05 * (index % 3),
  "trainer/mismatch_kl": 1e-3,
  "clip_ratio/region_mean": 0.01,
  "sample/staleness_mean": 1,
  "sample/dropped_stale_total": 0,
  "batch/groups_per_step": 32,
  "trainer/idle_ratio": 0.1,
  "generator/idle_ratio": 0.1,
};

export const RECIPE = {
  mode: "async",
  steps: 30,
  generator: { maxTokens: 24, concurrency: 256 },
  trainer: { groupSize: 8, maxGradNorm: 1, maxStaleness: 1 },
};
