/**
 * When the phases of a step ran on the GPU: a timestamp at the first pass of each and at the last pass of all, resolved with
 * the step's last submit, read with what is read after it anyway, and laid on the host's clock. The recorder asks it at every
 * pass; whoever drives a step enters phases and takes the spans.
 */
import { type TraceSpan, traceClock } from "../metrics/trace.ts";
import { BUFFER_USAGE, type GpuBuffer } from "./buffer.ts";
import type { Gpu } from "./device.ts";
import { between, type Phase, type PhaseTimer } from "./phases.ts";
import type { ReadRange } from "./readback.ts";

/** Queries of one set, at most, by WebGPU. */
const MOST_QUERIES = 4096;

interface Entered extends Phase {
  /** When the host handed its first pass to the queue, milliseconds of the host's clock. */
  submitted: number;
}

export class PhaseClock implements PhaseTimer {
  readonly submitsBetween = false;
  private readonly queries: GPUQuerySet;
  /** (phases + 1) of 8 bytes each. */
  private readonly resolved: GpuBuffer;
  private readonly capacity: number;
  private readonly now: () => number;
  private phases: Entered[] = [];
  /** How many phases have a pass, and how many of those were submitted. */
  private begun = 0;
  private handed = 0;
  private ended = false;
  private overflowed = false;

  /** Whether the device has timestamps. */
  static supported(gpu: Gpu): boolean {
    return gpu.device.features.has("timestamp-query");
  }

  /** @param phases of a step, at most; a step of more is not timed */
  constructor(gpu: Gpu, phases: number, now: () => number = traceClock) {
    this.capacity = Math.min(phases, MOST_QUERIES - 1);
    const count = this.capacity + 1;
    this.queries = gpu.device.createQuerySet({ label: "phases", type: "timestamp", count });
    this.resolved = gpu.buffer("timestamps of phases", 2 * count, BUFFER_USAGE.queryResolve);
    this.now = now;
  }

  start(): void {
    this.phases = [];
    this.begun = 0;
    this.handed = 0;
    this.ended = false;
    this.overflowed = false;
  }

  enter(phase: Phase): void {
    // A phase without a pass took no time.
    if (this.begun < this.phases.length) this.phases.pop();
    if (this.phases.length === this.capacity) this.overflowed = true;
    else this.phases.push({ ...phase, submitted: 0 });
  }

  /** A phase's first pass writes its beginning, every pass of the last phase the end. */
  writes(): GPUComputePassTimestampWrites | undefined {
    const phase = this.phases.at(-1);
    if (!phase || this.overflowed) return undefined;
    const writes: GPUComputePassTimestampWrites = { querySet: this.queries };
    // Passes that hold work, as an empty one has no timestamp on Metal.
    if (this.begun < this.phases.length) writes.beginningOfPassWriteIndex = this.begun++;
    // Which pass is the last is known afterwards: each overwrites the one before. The end's query lies right behind, as Deno
    // forgets all that lie between the two of a pass.
    if (phase.last) writes.endOfPassWriteIndex = this.begun;
    else if (writes.beginningOfPassWriteIndex === undefined) return undefined;
    this.ended = phase.last === true;
    return writes;
  }

  submitted(): void {
    for (; this.handed < this.begun; this.handed++) this.phases[this.handed].submitted = this.now();
  }

  close(encoder: () => GPUCommandEncoder): void {
    if (this.complete)
      encoder().resolveQuerySet(this.queries, 0, this.phases.length + 1, this.resolved.buffer, 0);
  }

  finish(): ReadRange[] {
    return this.complete ? [{ source: this.resolved, length: 2 * (this.phases.length + 1) }] : [];
  }

  take(bytes: ArrayBuffer | undefined, from: number, to: number): TraceSpan[] | null {
    const { phases, complete } = this;
    this.start();
    if (!bytes || !complete) return null;
    const submitted = phases.map((phase) => phase.submitted);
    const borders = placeStamps(new BigUint64Array(bytes), submitted, from, to);
    return borders && between(phases, borders);
  }

  /** Whether every phase has its timestamps: a query that was never written may not be resolved. */
  private get complete(): boolean {
    return this.ended && !this.overflowed && this.begun === this.phases.length;
  }

  [Symbol.dispose](): void {
    this.queries.destroy();
    this.resolved[Symbol.dispose]();
  }
}

/**
 * (phases + 1) moments of the host's clock at which phases begin and the last ends, rising, the first of them `from`, none
 * after `to`. The two clocks have no common zero: a phase cannot begin before the host submitted it, and the GPU, which was
 * idle, begins with the first at once; so the latest of these bounds is where the phases lie. Null where there are timestamps
 * of zero, as of a driver that lost them, where they run backwards, as after a reset of the GPU's clock, or do not run at all.
 * @param stamps (phases + 1) nanoseconds: the beginnings, then the end
 * @param submitted (phases) when the host submitted each
 */
export function placeStamps(
  stamps: BigUint64Array,
  submitted: readonly number[],
  from: number,
  to: number,
): number[] | null {
  const [first] = stamps;
  if (first === 0n || stamps.some((stamp, k) => k > 0 && stamp < stamps[k - 1])) return null;
  const after = Array.from(stamps, (stamp) => Number(stamp - first) / 1e6);
  const total = after[after.length - 1];
  if (total === 0) return null;
  // Clocks that do not run alike must not lead beyond the read-back.
  const scale = Math.min(1, Math.max(0, to - submitted[0]) / total);
  const earliest = submitted.reduce((least, at, k) => Math.max(least, at - after[k] * scale), from);
  const began = Math.min(earliest, to - total * scale);
  let reached = from;
  return after.map((ms, k) => {
    if (k > 0) reached = Math.min(to, Math.max(reached, began + ms * scale));
    return reached;
  });
}
