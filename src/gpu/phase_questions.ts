/**
 * When the phases of a step ended on a GPU without timestamps, as the queue answers: asked behind the last submit of each. The
 * host hears no answer while it records, so a step is known only where recording it took little of its time.
 */
import { type TraceSpan, traceClock } from "../metrics/trace.ts";
import { between, type Phase, type PhaseTimer } from "./phases.ts";
import type { ReadRange } from "./readback.ts";

/** The share of a step that its recording may take, at most, for its phases to be known. */
export const MOST_RECORDING = 0.1;

interface Entered extends Phase {
  /** When the host was told that it is over; null before. */
  end: number | null;
}

export class PhaseQuestions implements PhaseTimer {
  readonly submitsBetween = true;
  private readonly queue: Pick<GPUQueue, "onSubmittedWorkDone">;
  private readonly now: () => number;
  private phases: Entered[] = [];
  private finished: number | null = null;

  constructor(queue: Pick<GPUQueue, "onSubmittedWorkDone">, now: () => number = traceClock) {
    this.queue = queue;
    this.now = now;
  }

  start(): void {
    this.phases = [];
    this.finished = null;
  }

  enter(phase: Phase): void {
    this.ask();
    this.phases.push({ ...phase, end: null });
  }

  finish(): ReadRange[] {
    this.finished = this.now();
    this.ask();
    return [];
  }

  take(_: ArrayBuffer | undefined, from: number, to: number): TraceSpan[] | null {
    const { phases, finished } = this;
    this.start();
    if (finished === null || phases.length === 0) return null;
    if (finished - from > MOST_RECORDING * (to - from)) return null;
    const borders = [from];
    for (const { end } of phases) {
      // What was read is of the last phase: by then all of them are over.
      borders.push(Math.min(to, Math.max(borders[borders.length - 1], end ?? to)));
    }
    return between(phases, borders);
  }

  [Symbol.dispose](): void {
    this.start();
  }

  private ask(): void {
    const phase = this.phases.at(-1);
    if (!phase) return;
    this.queue.onSubmittedWorkDone().then(
      () => {
        phase.end = this.now();
      },
      // A lost device may refuse to answer; whoever reads from it is told of the loss.
      () => undefined,
    );
  }
}
