/** The loop's pulse of a recorded run at any position, made from the metrics of its steps. */
import type { LoopPulse, StepRow } from "../state/records.ts";

/** Totals at the end of each step; index 0 is the start. */
export interface RunTotals {
  problems: number[];
  scored: number[];
  trained: number[];
}

const of = (row: StepRow | undefined, name: string, otherwise = 0) => row?.[name] ?? otherwise;

/** Groups that a step's batch took and those it dropped for want of signal or as too old. */
function groupsOf(row: StepRow): number {
  return (
    of(row, "batch/groups_per_step") + of(row, "batch/dead_groups") + of(row, "sample/dropped_stale_total")
  );
}

export function runTotals(steps: readonly StepRow[]): RunTotals {
  const totals: RunTotals = { problems: [0], scored: [0], trained: [0] };
  for (const row of steps) {
    const groups = groupsOf(row);
    const samples = of(row, "batch/samples_per_step");
    const groupSize = samples / Math.max(1, of(row, "batch/groups_per_step", 1));
    totals.problems.push(totals.problems.at(-1)! + groups);
    // The verifiers' own count has what was evaluated in it.
    totals.scored.push(totals.scored.at(-1)! + groups * groupSize);
    totals.trained.push(totals.trained.at(-1)! + samples);
  }
  return totals;
}

/**
 * A step is a wait for the batch and then the computation on it; the batch after it is collected all the while. Rates
 * within a step are taken as even: the recording has no finer times in its metrics.
 */
export function recordedPulse(
  steps: readonly StepRow[],
  totals: RunTotals,
  position: number,
  playing: boolean,
): LoopPulse {
  const done = Math.min(steps.length, Math.floor(position));
  const share = position - done;
  const row = steps[Math.min(done, steps.length - 1)];
  const over = done >= steps.length;
  const along = (list: number[]) =>
    Math.round(list[done] + share * ((list[done + 1] ?? list[done]) - list[done]));

  const batchSize = of(row, "batch/samples_per_step");
  const waiting = Math.min(1, Math.max(0, of(row, "trainer/idle_ratio")));
  const before = of(steps[done - 1], "trainer/idle_ratio", 1);
  const collectedShare = share < waiting ? 1 - before * (1 - share / waiting) : share - waiting;
  const inflight = of(row, "rollout/inflight");
  const decoding = over ? 0 : Math.round(of(row, "rollout/active_rows_mean", inflight));
  const scored = along(totals.scored);
  const verifying = over ? 0 : Math.round(of(row, "rollout/score_queue_size"));

  const version = of(steps[done - 1], "trainer/policy_version", done);
  const moves = playing && !over;
  const generatorWaits = share < of(row, "generator/idle_ratio");
  return {
    problemsStarted: along(totals.problems),
    decoding,
    queued: over ? 0 : Math.max(0, inflight - decoding),
    verifying,
    collected: over ? 0 : Math.round(batchSize * Math.min(1, Math.max(0, collectedShare))),
    batchSize,
    trainerVersion: version,
    generatorVersion: over ? version : Math.max(0, version - Math.round(of(row, "sample/staleness_mean"))),
    generated: scored + verifying,
    scored,
    trained: totals.trained[done],
    generatedTokensPerSecond: of(row, "rollout/generated_tok_s"),
    activity: {
      tasks: moves ? "busy" : "idle",
      generator: moves ? (generatorWaits ? "waiting" : "busy") : "idle",
      // Without a measure of it, nothing is said of the verifier: checking sums takes next to no time.
      verifier: moves && share >= of(row, "verifier/idle_ratio", 1) ? "busy" : moves ? "waiting" : "idle",
      trainer: moves ? (share < waiting ? "waiting" : "busy") : "idle",
      weights: moves && share < 0.2 && done > 0 ? "busy" : "idle",
    },
  };
}
