/**
 * Times on this device what a run is going to dispatch most of, at the run's own sizes, for as long as a reader may be kept
 * waiting. Buffers hold what the host would have written, else zeros. Called before a run; browser-safe.
 */
import { GpuLimitError } from "../errors.ts";
import type { GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";
import { linearVec4 } from "../kernels/linear/linear_vec4.ts";
import { type Overheads, type Pace, type Timed, workOf } from "./pace.ts";
import type { Job, Phase, RunWork } from "./work.ts";

/** A sample is about so long, where its repeats get there: what the clock sees of the way and back is small then. */
const SAMPLE_SECONDS = 0.01;
const MOST_REPEATS = 256;
const TINY_DISPATCHES = 128;
/** As `calibrateSubmits` does it. */
const SUBMIT_SECONDS = 0.1;
const RATE_SIZE = 256;
/** Kernels over more than this are not tried: the run itself may need the room. */
const MOST_BYTES = 2 ** 28;
/** A dispatch that would take longer is tried over fewer rows, in multiples of `ROWS`: its time grows with them. */
const SLICE_SECONDS = 0.015;
const ROWS = 64;
/** Jobs that are measured however long they take: of fewer, one that was held up would tell everything. */
const FEW = 3;
/** What another size of a kernel is worth to know, once one is measured. */
const KNOWN_KERNEL = 0.25;

/** What a dispatch and a way back cost whatever they are for; fits `gpu.maxFlopsPerSubmit` to the adapter, roughly. */
export async function measureOverheads(gpu: Gpu): Promise<Overheads> {
  const began = performance.now();
  await gpu.compile([linearVec4]);
  const recorder = new Recorder(gpu, "pace");
  using x = gpu.buffer("pace", RATE_SIZE ** 2);
  using y = gpu.buffer("pace", RATE_SIZE ** 2);
  const run = async (size: number, dispatches: number) => {
    const sizes = { rows: size, outputs: size, inputs: size, y_stride: size, y_start: 0 };
    const from = performance.now();
    for (let i = 0; i < dispatches; i++)
      linearVec4.encode(recorder, { x, w: x, bias: x, y }, { ...sizes, has_bias: 0, accumulate: 0 });
    recorder.submit();
    await y.readWords(0, 1);
    return (performance.now() - from) / 1000;
  };
  try {
    await run(4, 1);
    const ready = (performance.now() - began) / 1000;
    const roundTrip = median([await run(4, 1), await run(4, 1), await run(4, 1)]);
    const many = median([await run(4, TINY_DISPATCHES), await run(4, TINY_DISPATCHES)]);
    const { seconds } = await sample((repeats) => run(RATE_SIZE, repeats), roundTrip);
    const rate = (2 * RATE_SIZE ** 3) / seconds;
    gpu.maxFlopsPerSubmit = Math.max(2e8, SUBMIT_SECONDS * rate);
    return {
      roundTrip,
      dispatch: Math.max(0, many - roundTrip) / TINY_DISPATCHES,
      rate,
      compile: Math.max(0, ready - roundTrip),
    };
  } finally {
    recorder.dispose();
  }
}

export interface PaceOptions {
  /** When to stop, of `performance.now()`. */
  until: number;
  /** Batches that will be waited for: what matters more is measured first. */
  batches: number;
}

/** Measures jobs until time is up, at least a few. @throws GpuLostError, ShaderError */
export async function measurePace(
  gpu: Gpu,
  overheads: Overheads,
  { batch, evaluation }: RunWork,
  { until, batches }: PaceOptions,
): Promise<Pace> {
  const recorder = new Recorder(gpu, "pace");
  const timed: Timed[] = [];
  const compiled = new Map<string, number>();
  const phases = [...batch.map((phase) => ({ ...phase, times: batches * phase.times })), ...evaluation];
  let left = weighed(phases).filter(({ job }) => fits(gpu, job));
  try {
    while (left.length > 0 && (timed.length < FEW || performance.now() < until)) {
      const next = left.reduce((most, other) => (other.weight > most.weight ? other : most));
      const { job } = next;
      const { kernel, key, flops, bytes } = job;
      const isNew = !compiled.has(kernel.key);
      const slice = sliceOf(job, overheads.rate);
      left = left.filter((one) => one !== next);
      const measured = await measureJob(gpu, recorder, slice, overheads.roundTrip, isNew);
      if (!measured) continue;
      const { seconds, readySeconds } = measured;
      if (isNew) compiled.set(kernel.key, readySeconds);
      const whole = (seconds * workOf(job)) / Math.max(1, workOf(slice));
      timed.push({ key, flops, bytes, kernel: kernel.key, seconds: whole });
      left = left.map((one) =>
        isNew && one.job.kernel.key === kernel.key ? { ...one, weight: KNOWN_KERNEL * one.weight } : one,
      );
    }
    // Of one that was held up nothing is to be learnt.
    return { ...overheads, compile: median([overheads.compile, ...compiled.values()]), timed };
  } finally {
    recorder.dispose();
  }
}

/** Jobs, each once, with the work of all that is alike. */
function weighed(phases: readonly Phase[]): { job: Job; weight: number }[] {
  const all = new Map<string, { job: Job; weight: number }>();
  for (const { jobs, times } of phases) {
    for (const job of jobs) {
      const weight = (all.get(job.key)?.weight ?? 0) + times * job.count * workOf(job);
      all.set(job.key, { job, weight });
    }
  }
  return [...all.values()];
}

/** The first rows of a job that would take too long, by the rate of matrix products; else the job. */
function sliceOf(job: Job, rate: number): Job {
  const { kernel, dims } = job;
  const fitting = Math.floor(((SLICE_SECONDS * rate) / workOf(job)) * (dims.rows / ROWS)) * ROWS;
  if (!(fitting < dims.rows - ROWS)) return job;
  const cut = { ...dims, rows: Math.max(ROWS, fitting) };
  const { grid, flops, bytes } = kernel.spec;
  return { ...job, dims: cut, grid: grid(cut, kernel.overrides), flops: flops(cut), bytes: bytes(cut) };
}

/**
 * Seconds of one dispatch, and those until the kernel was ready: compilation and whatever else its first run brings. Null
 * where the GPU has no room to try it.
 */
async function measureJob(
  gpu: Gpu,
  recorder: Recorder,
  job: Job,
  roundTrip: number,
  isNew: boolean,
): Promise<{ seconds: number; readySeconds: number } | null> {
  const { kernel, dims, grid, flops, bytes, contents } = job;
  const began = performance.now();
  await gpu.compile([kernel]);
  const buffers: GpuBuffer[] = [];
  try {
    await gpu.withRoom("what is measured", () => {
      for (const [i, size] of bindingBytes(job).entries()) {
        const buffer = gpu.buffer("pace", size / 4);
        buffers.push(buffer);
        const written = contents[i]?.slice(0, buffer.size);
        if (written) buffer.write(new Uint32Array(written.buffer, 0, written.byteLength >> 2));
      }
    });
    const values = Object.values(dims);
    const run = async (repeats: number) => {
      const from = performance.now();
      for (let i = 0; i < repeats; i++) recorder.dispatch(kernel, buffers, values, grid, flops, bytes);
      recorder.submit();
      await gpu.idle();
      return (performance.now() - from) / 1000;
    };
    if (isNew) await run(1);
    const ready = (performance.now() - began) / 1000;
    const { seconds, once } = await sample(run, roundTrip);
    return { seconds, readySeconds: Math.max(0, ready - once) };
  } catch (error) {
    if (error instanceof GpuLimitError) return null;
    throw error;
  } finally {
    for (const buffer of buffers) buffer[Symbol.dispose]();
  }
}

/**
 * Seconds of one repeat, the way there and back left out, and of a run of one. The middle of three: whatever else the machine
 * does holds one of them up now and then.
 */
async function sample(run: (repeats: number) => Promise<number>, roundTrip: number) {
  const once = await run(1);
  const alone = Math.max(once - roundTrip, SAMPLE_SECONDS / MOST_REPEATS);
  const repeats = Math.ceil(SAMPLE_SECONDS / alone);
  const runs = [repeats === 1 ? once : await run(repeats), await run(repeats), await run(repeats)];
  return { seconds: Math.max(1e-7, (median(runs) - roundTrip) / repeats), once };
}

/** Bytes of each binding, in order. */
const bindingBytes = ({ kernel, dims }: Job): number[] =>
  Object.values(kernel.spec.bindings).map(({ length }) => Math.max(4, 4 * Math.ceil(length(dims))));

function fits({ device: { limits } }: Gpu, job: Job): boolean {
  const allowed = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const needed = bindingBytes(job);
  return needed.every((bytes) => bytes <= allowed) && sum(needed) <= MOST_BYTES;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

const median = (values: readonly number[]) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
