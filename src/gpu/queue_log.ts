/**
 * When a device's queue had work, as the host sees it: from a submit until the host is told that all submitted so far is
 * done. That can be later than it was done, as the host learns nothing while it computes; gaps shorter than that do not
 * show. Chrome is asked by `onSubmittedWorkDone`. Deno (2.9) stands still in that call until the device is done, so it is
 * not asked: there a read-back tells, up to its poll interval of 11 ms late, and a span reaches from the first submit after
 * one read-back to the end of the next.
 */
import { SPANS_KEPT, type TraceSpan, traceClock } from "../metrics/trace.ts";
import type { Gpu } from "./device.ts";

/** Work that follows within this many milliseconds follows without a gap: the clock is no finer in a page. */
export const NO_GAP = 0.1;

type AskedQueue = Pick<GPUQueue, "onSubmittedWorkDone">;

export class QueueLog {
  private readonly queue: AskedQueue | null;
  private readonly now: () => number;
  private spans: TraceSpan[] = [];
  private busy: { start: number; submits: number; dispatches: number } | null = null;
  private asking = false;
  private count = 0;

  /** @param queue is asked when it is done, one question at a time; null where read-backs alone tell */
  constructor(queue: AskedQueue | null, now: () => number = traceClock) {
    this.queue = queue;
    this.now = now;
  }

  /** Submits so far. */
  get submits(): number {
    return this.count;
  }

  /** Whether something was submitted that is not known to be done. */
  get working(): boolean {
    return this.busy !== null;
  }

  /** Notes a submit of so many dispatches, none for copies alone, and returns how many submits there were with it. */
  submitted(dispatches: number): number {
    this.busy ??= this.begin();
    this.busy.submits++;
    this.busy.dispatches += dispatches;
    this.count++;
    this.ask();
    return this.count;
  }

  /** The first `submits` of all submits are known to be done. */
  finished(submits: number): void {
    if (!this.busy || submits < this.count) return;
    const { start, ...details } = this.busy;
    this.busy = null;
    if (this.spans.length === SPANS_KEPT) return;
    this.spans.push({ name: details.dispatches > 0 ? "compute" : "copy", start, end: this.now(), details });
  }

  /** Every span that ended since the last call, in order of time; none overlaps another. */
  take(): TraceSpan[] {
    const { spans } = this;
    this.spans = [];
    return spans;
  }

  private begin() {
    const start = this.now();
    const last = this.spans.at(-1);
    if (!last || start - last.end > NO_GAP) return { start, submits: 0, dispatches: 0 };
    this.spans.pop();
    return { start: last.start, ...(last.details as { submits: number; dispatches: number }) };
  }

  private ask(): void {
    if (this.asking || !this.queue) return;
    this.asking = true;
    const asked = this.count;
    const told = () => {
      this.asking = false;
      this.finished(asked);
      if (this.busy) this.ask();
    };
    // A lost device may refuse to answer: its work is over as well, and whoever waits for it is told of the loss.
    this.queue.onSubmittedWorkDone().then(told, told);
  }
}

/** Notes from here on when the device's queue has work, for one who takes the spans. */
export function logQueue(gpu: Gpu): QueueLog {
  gpu.queueLog = new QueueLog("Deno" in globalThis ? null : gpu.device.queue);
  return gpu.queueLog;
}
