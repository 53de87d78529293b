/** How whoever drives a step learns when its phases ran on the GPU; `openPhases` chooses the way that a device offers. */
import type { TraceSpan } from "../metrics/trace.ts";
import type { ReadRange } from "./readback.ts";

export interface Phase {
  name: string;
  details?: Record<string, unknown>;
  /** Nothing follows it in the step. */
  last?: boolean;
}

/** In the order of their use: `start`, `enter` for each phase, `finish`, a read-back, `take`. The recorder calls the rest. */
export interface PhaseTimer extends Disposable {
  /** Whether what was recorded is to be submitted before a phase is entered. */
  readonly submitsBetween: boolean;
  /** Forgets the step before, also one that failed half-way. */
  start(): void;
  /** What is recorded and submitted from here on belongs to a phase. */
  enter(phase: Phase): void;
  /** What a pass that is opened now has to write. */
  writes?(): GPUComputePassTimestampWrites | undefined;
  /** What was recorded is about to be submitted. */
  submitted?(): void;
  /** The step's last submit is about to be finished. */
  close?(encoder: () => GPUCommandEncoder): void;
  /** The whole step is submitted; what to read so that `take` knows, empty where nothing is to be read. */
  finish(): ReadRange[];
  /**
   * The phases between two moments of the host, each from the end of the one before it, and no more of this step; null where
   * nothing is known of them.
   * @param from when the step's recording began
   * @param to when the host had what was read
   */
  take(bytes: ArrayBuffer | undefined, from: number, to: number): TraceSpan[] | null;
}

/** Phases by the moments at which they begin and the last ends. */
export function between(phases: readonly Phase[], borders: readonly number[]): TraceSpan[] {
  return phases.map(({ name, details }, k) => ({ name, start: borders[k], end: borders[k + 1], details }));
}
