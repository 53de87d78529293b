/** What the page shows of a run, whether it plays from a file, trains in this tab or lies in storage. Plain JSON. */
import type { TraceEvent } from "../../metrics/trace.ts";
import type {
  EvaluationRow,
  RecordedRun,
  RunSummaryRow,
  StepRow,
  TurnedRow,
} from "../../runs/recorded_run.ts";
import type { RolloutRow, SampleCompletion } from "../../training_records.ts";

export type {
  EvaluationRow,
  RecordedRun,
  RolloutRow,
  RunSummaryRow,
  SampleCompletion,
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

export type StageName = "tasks" | "generator" | "verifier" | "trainer" | "weights";
export const STAGES: readonly StageName[] = ["tasks", "generator", "verifier", "trainer", "weights"];

/** What a stage does at this moment: works, waits for another, or rests because nobody asks. */
export type StageActivity = "busy" | "waiting" | "idle";

/** The loop at one moment, told about five times a second while it runs. */
export interface LoopPulse {
  /** Problems started so far. */
  problemsStarted: number;
  /** Completions being decoded now, and completions waiting for a free row. */
  decoding: number;
  queued: number;
  /** Completions at the verifiers. */
  verifying: number;
  /** Rewarded completions of the next batch, and how many it takes. */
  collected: number;
  batchSize: number;
  /** Versions: published by the trainer, used by the generator. */
  trainerVersion: number;
  generatorVersion: number;
  /** Completions generated, scored and trained on so far. */
  generated: number;
  scored: number;
  trained: number;
  generatedTokensPerSecond: number;
  activity: Record<StageName, StageActivity>;
}
