/** What front ends give a run and what it tells them. */
import type { Recipe } from "./config/schema.ts";
import type { Knobs, RunControl } from "./control.ts";
import type { ModelText } from "./data/source.ts";
import type { LoopStages } from "./loop.ts";
import type { TraceEvent } from "./metrics/trace.ts";
import type { Problem } from "./rollout.ts";
import type { FoundCheckpoint } from "./runs/checkpoint.ts";
import type { RunDirectory } from "./runs/run_directory.ts";
import type { LoopPulse } from "./training_pulse.ts";
import type { RolloutRow, SampleCompletion } from "./training_records.ts";

export interface TrainingInputs {
  recipe: Recipe;
  /** What the recipe's `model` names: the reference, and the start of a run that is not resumed. */
  model: ModelText;
  /** What `data.file` holds, where the recipe names one. */
  problems?: readonly Problem[];
  run: RunDirectory;
  /** Go on from here; null starts at the model. */
  resume: FoundCheckpoint | null;
  /** Aborted: finish the step, save, stop. */
  signal?: AbortSignal;
  /** Where a front end may pause and turn settings. */
  control?: RunControl;
  /** Given once, when the stages are open: what the loop is at, to be read as often as one likes. */
  onPulseSource?(read: () => LoopPulse): void;
  /** Given once, when the stages are open: tests of recovery lose their devices. */
  onStages?(stages: Pick<LoopStages, "trainer" | "generator">): void;
}

export interface EvaluationRecord {
  metrics: Record<string, number>;
  samples: SampleCompletion[];
}

export type TrainingEvent =
  | {
      kind: "ready";
      adapter: string;
      allocatedBytes: number;
      maxSequence: number;
      heldOut: number;
      /** Whether an evaluation comes before the first step. */
      evaluates: boolean;
    }
  | { kind: "evaluated"; when: "before" | "during" | "after"; step: number; result: EvaluationRecord }
  | {
      kind: "stepped";
      step: number;
      metrics: Record<string, number | null>;
      rollouts: RolloutRow[];
      remainingSeconds: number;
    }
  | { kind: "saved"; step: number; path: string }
  /** Settings were turned while running; they hold from the step after `step` on. */
  | { kind: "turned"; step: number; knobs: Knobs }
  /** What workers did when; once a step, in no particular order. */
  | { kind: "traced"; events: TraceEvent[] }
  /** A run that failed could not save its last steps either. */
  | { kind: "unsaved"; step: number; cause: unknown }
  /** A worker died and another took its place. The run goes on after `step`: whatever was told of later steps is void. */
  | { kind: "restarted"; worker: string; step: number; cause: unknown };

export interface TrainingSummary {
  event: "summary";
  steps: number;
  /** Completions trained on. */
  samples: number;
  eval: { before: Record<string, number> | null; after: Record<string, number> | null };
  wall_s: number;
  generated_tokens: number;
  trained_tokens: number;
  interrupted: boolean;
}
