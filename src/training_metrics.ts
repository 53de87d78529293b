/** What a step measured, under the names of the metric table: from the loop, the stages' counters and the clock. */
import type { LoopStep } from "./loop.ts";
import { completionMetrics } from "./metrics/completions.ts";
import type { MetricValue } from "./metrics/record.ts";
import type { RewardedGroup } from "./rollout.ts";
import { collectionMetrics } from "./trainer/collector.ts";

type GeneratorCounts = Record<
  "generatedTokens" | "prefilledTokens" | "weightSwaps" | "activeRows" | "decodeSteps" | "idleMs",
  number
>;
type VerifierCounts = Record<"scored" | "timeouts" | "exceptions" | "restarts", number>;

export interface MeasuredStep {
  step: LoopStep;
  /** Every group rewarded since the last step, in any order; those trained on where it is empty. */
  arrived: readonly RewardedGroup[];
  generated: GeneratorCounts;
  verified: VerifierCounts;
  /** Since the end of the last step. */
  seconds: number;
  /** Since the run's first step. */
  trainedTokens: number;
  generators: number;
  groupSize: number;
}

export function stepMetrics(measured: MeasuredStep): Record<string, MetricValue> {
  const { step, generated, verified, seconds, trainedTokens, generators, groupSize } = measured;
  const { state, groups, collection, trained, waitMs } = step;
  // In the order of their numbers, so that sums do not depend on timing in their last bits.
  const arrived = [...(measured.arrived.length > 0 ? measured.arrived : groups)];
  arrived.sort((a, b) => a.groupId - b.groupId);
  const computeSeconds = trained.computeMs / 1000;
  return {
    step: state.step,
    // Over everything generated since the last step: what was dropped for want of signal counts as well.
    ...completionMetrics(arrived),
    ...collectionMetrics(collection),
    ...trained.metrics,
    num_tokens: trainedTokens,
    step_time: seconds,
    "perf/step_s": seconds,
    "perf/rollout_wait_s": waitMs / 1000,
    "perf/weight_sync_s": trained.publishMs / 1000,
    "perf/fwd_bwd_s": computeSeconds,
    "perf/forwarded_tok_s_fwd_bwd": { numerator: trained.forwardedTokens, denominator: computeSeconds },
    "perf/forwarded_tok_s_wall_clock": { numerator: trained.forwardedTokens, denominator: seconds },
    "perf/trained_tok_s_wall_clock": { numerator: trained.trainedTokens, denominator: seconds },
    "rollout/generated_tok_s": { numerator: generated.generatedTokens, denominator: seconds },
    "rollout/generated_tokens_total": generated.generatedTokens,
    "rollout/prefilled_tokens_total": generated.prefilledTokens,
    "rollout/weight_swaps_total": generated.weightSwaps,
    "rollout/active_rows_mean": { numerator: generated.activeRows, denominator: generated.decodeSteps },
    "rollout/inflight": state.inFlight.length * groupSize,
    "trainer/policy_version": trained.version,
    "trainer/idle_ratio": { numerator: waitMs / 1000, denominator: seconds },
    "generator/idle_ratio": { numerator: generated.idleMs / 1000, denominator: seconds * generators },
    "verifier/scored_total": verified.scored,
    "verifier/timeouts_total": verified.timeouts,
    "verifier/exceptions_total": verified.exceptions,
    "verifier/restarts_total": verified.restarts,
  };
}
