/**
 * What the page's thread and its session worker say to each other. The session worker runs the training, reads and writes
 * the origin's private files and talks to the GPU; the page's thread only shows.
 */
import type { Knobs } from "../../control.ts";
import type { ErrorRecord } from "../../rpc/errors.ts";
import type {
  EvaluationRow,
  LoopPulse,
  RecordedRun,
  RolloutRow,
  RunPhase,
  RunSummaryRow,
  StepRow,
  TraceEvent,
  TurnedRow,
} from "../state/records.ts";

export interface StartRequest {
  /** A recipe that extends the defaults; checked in the worker as the command line checks it. */
  recipe: Record<string, unknown>;
  /** Address of the model's folder on this origin; absent: what the recipe names. */
  modelUrl?: string;
  /** Go on with this stored run. */
  resume?: string;
}

export interface StoredRun {
  name: string;
  recipe: string;
  steps: number;
  /** Steps that the recipe asks for. */
  of: number;
  /** Milliseconds since 1970. */
  savedAt: number;
  /** The newest whole checkpoint's step, or null. */
  checkpoint: number | null;
  /** True: it ended by itself or by stop-and-save; false: a reload or a crash cut it. */
  ended: boolean;
  bytes: number;
}

/** One line of the preflight card. */
export interface PreflightLine {
  /** `adapter`, `tier`, `memory`, `download`, `time`, `isolation`, … */
  key: string;
  label: string;
  value: string;
  /** ok; a limitation; what keeps the run from starting. */
  level: "ok" | "note" | "stop";
  /** What to do about it, for this browser. */
  hint?: string;
}

export interface Preflight {
  lines: PreflightLine[];
  canStart: boolean;
}

/** Served by `workers/session.ts`. */
export interface SessionApi {
  /** Everything that happens is told at the port. */
  open(port: MessagePort): void;
  preflight(recipe: Record<string, unknown>): Promise<Preflight>;
  /** Resolves when the run has begun to load; what follows is told as events. @throws ConfigError, DataError at once */
  start(request: StartRequest): Promise<{ name: string; recipe: Record<string, unknown> }>;
  pause(): void;
  resume(): void;
  /** Lets one step through and pauses. */
  step(): void;
  /** Finishes the step, saves, ends. Resolves when all is on file. */
  stop(): Promise<void>;
  turn(knobs: Knobs): void;
  /** Loses a GPU device on purpose: tests of recovery. */
  loseDevice(which: "trainer" | "generator"): Promise<void>;

  listRuns(): Promise<StoredRun[]>;
  readRun(name: string): Promise<RecordedRun>;
  removeRun(name: string): Promise<void>;
  /** The run's folder, or its newest checkpoint in the Hugging Face layout, as a zip. */
  exportRun(name: string): Promise<Uint8Array>;
  exportCheckpoint(name: string): Promise<Uint8Array>;
  /** Takes a zip of either kind; returns the run's name. */
  importZip(zip: Uint8Array, name: string): Promise<string>;
}

export type SessionEvent =
  | { kind: "phase"; phase: RunPhase; notice: string }
  | { kind: "ready"; adapter: string; allocatedBytes: number }
  | { kind: "step"; row: StepRow; rollouts: RolloutRow[]; remainingSeconds: number }
  | { kind: "evaluation"; row: EvaluationRow }
  | { kind: "turned"; row: TurnedRow }
  | { kind: "trace"; events: TraceEvent[] }
  | { kind: "pulse"; pulse: LoopPulse }
  | { kind: "saved"; step: number }
  /** A worker died and another took its place; the run goes on after `step`. */
  | { kind: "restarted"; worker: string; step: number; reason: string }
  | { kind: "ended"; summary: RunSummaryRow }
  | { kind: "failed"; error: ErrorRecord };
