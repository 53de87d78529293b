/** What the page shows of a run, whether it plays from a file, trains in this tab or lies in storage. Plain JSON. */
import type { TraceEvent } from "../../metrics/trace.ts";
import type {
  EvaluationRow,
  RecordedRun,
  RunSummaryRow,
  StepRow,
  TurnedRow,
} from "../../runs/recorded_run.ts";
import type { LoopPulse, StageActivity, StageName } from "../../training_pulse.ts";
import type { RolloutRow, SampleCompletion } from "../../training_records.ts";

export type {
  EvaluationRow,
  LoopPulse,
  RecordedRun,
  RolloutRow,
  RunSummaryRow,
  SampleCompletion,
  StageActivity,
  StageName,
  StepRow,
  TraceEvent,
  TurnedRow,
};

/**
 * recorded: plays from a file. loading → starting → evaluating → training ⇄ paused → evaluating → done, or failed.
 * `pausing` and `stopping`: asked for, the step is being finished.
 */
export type RunPhase =
  | "idle"
  | "loading"
  | "starting"
  | "evaluating"
  | "training"
  | "pausing"
  | "paused"
  | "stopping"
  | "done"
  | "failed";

export const STAGES: readonly StageName[] = ["tasks", "generator", "verifier", "trainer", "weights"];

/** Of a loop that has ended: its totals, and nothing under way. */
export function atRest(pulse: LoopPulse): LoopPulse {
  const idle = Object.fromEntries(STAGES.map((stage) => [stage, "idle"])) as LoopPulse["activity"];
  const none = { decoding: 0, queued: 0, verifying: 0, collected: 0, generatedTokensPerSecond: 0 };
  return { ...pulse, ...none, activity: idle };
}
