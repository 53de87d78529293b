/** Seconds for the work that `work.ts` records, from what was measured of a device. Pure; `measure_pace.ts` measures. */
import type { Job, Phase } from "./work.ts";

/** What one dispatch of a kernel at some size took. */
export interface Timed extends Pick<Job, "key" | "flops" | "bytes"> {
  /** Key of the kernel. */
  kernel: string;
  /** Its own launch included. */
  seconds: number;
}

/** What everything costs, whatever it does. */
export interface Overheads {
  /** Seconds of a dispatch with next to nothing to do. */
  dispatch: number;
  /** Seconds of a way to the GPU and back. */
  roundTrip: number;
  /** Operations a second of matrix products, roughly. */
  rate: number;
  /** Seconds until a kernel is ready. */
  compile: number;
}

export interface Pace extends Overheads {
  timed: readonly Timed[];
}

/** Operations of a matrix product that take as long as the move of one byte: about 5 on processors, several times that on GPUs. */
const OPERATIONS_PER_BYTE = 8;

/** One measure for different kernels' work: whichever of arithmetic and memory is more. */
export const workOf = ({ flops, bytes }: Pick<Job, "flops" | "bytes">) =>
  Math.max(flops, OPERATIONS_PER_BYTE * bytes);

/** Seconds of one dispatch: as measured, else from the same kernel at the size nearest, else from all kernels together. */
export function secondsOf(job: Pick<Job, "key" | "kernel" | "flops" | "bytes">, pace: Pace): number {
  const same = pace.timed.find(({ key }) => key === job.key);
  if (same) return same.seconds;
  const work = workOf(job);
  const distance = (one: Timed) => Math.abs(Math.log((workOf(one) + 1) / (work + 1)));
  const [nearest] = pace.timed
    .filter(({ kernel }) => kernel === job.kernel.key)
    .sort((a, b) => distance(a) - distance(b));
  const alike = nearest ? [nearest] : pace.timed;
  const beyond = alike.reduce((sum, { seconds }) => sum + Math.max(0, seconds - pace.dispatch), 0);
  const worked = alike.reduce((sum, one) => sum + workOf(one), 0);
  return pace.dispatch + (worked > 0 ? (work * beyond) / worked : work / pace.rate);
}

/** Seconds of phases, all their times together. */
export function phaseSeconds(phases: readonly Phase[], pace: Pace): number {
  return phases.reduce(
    (sum, { jobs, times, returns }) =>
      sum +
      times * jobs.reduce((all, job) => all + job.count * secondsOf(job, pace), returns * pace.roundTrip),
    0,
  );
}
