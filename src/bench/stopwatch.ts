/**
 * Times dispatches on one device: by timestamp queries where the adapter has them and they agree with the clock, else
 * by the clock over many dispatches. Called by the benchmarks and by `doctor`; browser-safe.
 */
import type { Gpu } from "../gpu/device.ts";
import { Profiler } from "../gpu/profiler.ts";
import { Recorder } from "../gpu/recorder.ts";
import { multiplyAdd } from "../kernels/probe/multiply_add.ts";

export type TimeSource = "timestamps" | "clock";

export interface Timing {
  /** Median seconds of one round of `encode`. */
  seconds: number;
  /** The fastest round's seconds. */
  fastest: number;
  source: TimeSource;
}

/** A sample is as many rounds as fit in this: long enough for coarse timestamps, short enough for a whole table. */
const SAMPLE_SECONDS = 0.02;
/** The clock also sees the way to the GPU and back (11 ms under Deno), so its samples are longer. */
const CLOCK_SAMPLE_SECONDS = 0.15;
/** No more samples after this, so that a slow adapter does not take minutes. */
const ENOUGH_SECONDS = 1;
/** Dispatches of a sample, at most: what the profiler holds. */
const MAX_DISPATCHES = 1024;

export class Stopwatch implements Disposable {
  readonly gpu: Gpu;
  readonly source: TimeSource;
  private readonly recorder: Recorder;
  private readonly profiler: Profiler | null;

  /** Opens a stopwatch and checks its timestamps against the clock. */
  static async create(gpu: Gpu): Promise<Stopwatch> {
    await gpu.compile([multiplyAdd]);
    if (!Profiler.supported(gpu)) return new Stopwatch(gpu, null);
    const profiler = new Profiler(gpu);
    // More than once, because a busy machine may hold the clock's reading up.
    for (let attempt = 0; attempt < 3; attempt++)
      if (await timestampsAgree(gpu, profiler)) return new Stopwatch(gpu, profiler);
    profiler.destroy();
    return new Stopwatch(gpu, null);
  }

  private constructor(gpu: Gpu, profiler: Profiler | null) {
    this.gpu = gpu;
    this.profiler = profiler;
    this.source = profiler ? "timestamps" : "clock";
    this.recorder = new Recorder(gpu, "stopwatch");
    this.recorder.observer = profiler;
  }

  /**
   * Times `encode`, which records the same dispatches at every call: the median of `repeats` samples after a warm-up,
   * or of fewer where one takes a second or so.
   */
  async time(encode: (recorder: Recorder) => void, repeats: number): Promise<Timing> {
    const before = this.recorder.counters.dispatches;
    let once = await this.sample(encode, 1);
    const dispatches = Math.max(1, this.recorder.counters.dispatches - before);
    // The first run may include the driver's own compilation.
    if (once < ENOUGH_SECONDS / 4) once = Math.min(once, await this.sample(encode, 1));
    const wanted = (this.profiler ? SAMPLE_SECONDS : CLOCK_SAMPLE_SECONDS) / Math.max(once, 1e-9);
    const rounds = Math.max(1, Math.min(Math.ceil(wanted), Math.floor(MAX_DISPATCHES / dispatches)));
    const samples: number[] = [];
    for (let spent = 0; samples.length < repeats && spent < ENOUGH_SECONDS; ) {
      const seconds = await this.sample(encode, rounds);
      samples.push(seconds / rounds);
      spent += seconds;
    }
    return { seconds: median(samples), fastest: Math.min(...samples), source: this.source };
  }

  /** Seconds of `rounds` rounds together. */
  private async sample(encode: (recorder: Recorder) => void, rounds: number): Promise<number> {
    const { recorder, profiler, gpu } = this;
    const from = performance.now();
    for (let i = 0; i < rounds; i++) encode(recorder);
    if (profiler) {
      const times = await profiler.collect(recorder);
      gpu.assertHealthy();
      return times.reduce((sum, time) => sum + time.seconds, 0);
    }
    recorder.submit();
    await gpu.idle();
    return (performance.now() - from) / 1000;
  }

  [Symbol.dispose](): void {
    this.profiler?.destroy();
  }
}

/** The middle value; the mean of the two middle ones. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Some engines give timestamps in another unit than nanoseconds: those are not believed. */
async function timestampsAgree(gpu: Gpu, profiler: Profiler): Promise<boolean> {
  const recorder = new Recorder(gpu, "timestamp check");
  recorder.observer = profiler;
  const rows = 65536;
  using x = gpu.buffer("timestamp check", 8 * rows);
  for (let rounds = 16; ; rounds *= 4) {
    const from = performance.now();
    multiplyAdd.encode(recorder, { x }, { rows, rounds, factor: 0.99, addend: 0.01 });
    const [time] = await profiler.collect(recorder);
    const clock = (performance.now() - from) / 1000;
    // Beyond 50 ms the way to the GPU and back no longer matters.
    if (clock > 0.05 || rounds >= 16384) return time.seconds > clock / 6 && time.seconds < clock * 1.2;
  }
}
