/**
 * Compares what the GPU gave with what the vectors say. Errors are relative to a scale that the caller states, so that
 * one number against one tolerance decides, whatever a tensor's size.
 */

/** One tensor of a case. */
export interface Check {
  /** The tensor, and how it was computed where there is more than one way. */
  name: string;
  got: ArrayLike<number>;
  want: ArrayLike<number>;
  /** What errors are divided by: one number, or one for each element. */
  scale: number | ((index: number) => number);
  tolerance: number;
}

/** The verdict on one case. */
export interface CaseResult {
  /** Path of the vectors within their directory, and the part of them. */
  name: string;
  /** Largest error of the check that comes closest to its tolerance or exceeds it most. */
  error: number;
  tolerance: number;
  pass: boolean;
  /** Which tensor and element that was, or why the case could not run. */
  detail: string;
}

/** The largest magnitude; NaN where there is one. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (Number.isNaN(size)) return size;
    if (size > most) most = size;
  }
  return most;
}

/** The scale for element-wise results: error against 1 + |want|, as a relative and an absolute tolerance together. */
export const onePlus =
  (want: ArrayLike<number>) =>
  (i: number): number =>
    1 + Math.abs(want[i]);

/** Largest error of one check, and where; infinite where anything is not a number or missing. */
export function largestError({ got, want, scale }: Check): { error: number; index: number } {
  if (got.length !== want.length) return { error: Number.POSITIVE_INFINITY, index: -1 };
  let [error, index] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    if (got[i] === want[i]) continue;
    const divisor = typeof scale === "number" ? scale : scale(i);
    const found = Math.abs(got[i] - want[i]) / divisor;
    if (Number.isNaN(found)) return { error: Number.POSITIVE_INFINITY, index: i };
    if (found > error) [error, index] = [found, i];
  }
  return { error, index };
}

/** Judges a case by all its checks; a case without checks fails. */
export function judge(name: string, checks: readonly Check[]): CaseResult {
  let result: CaseResult = failedCase(name, "nothing was checked");
  let closest = -1;
  for (const check of checks) {
    const { error, index } = largestError(check);
    // A tolerance of 0 asks for equality.
    const share = error === 0 ? 0 : error / check.tolerance;
    if (share <= closest) continue;
    closest = share;
    const where =
      index < 0
        ? `${check.got.length} elements instead of ${check.want.length}`
        : `[${index}] got ${check.got[index]}, want ${check.want[index]}`;
    const { tolerance } = check;
    result = { name, error, tolerance, pass: error <= tolerance, detail: `${check.name} ${where}` };
  }
  return result;
}

/** A case that could not be run. */
export function failedCase(name: string, detail: string): CaseResult {
  return { name, error: Number.POSITIVE_INFINITY, tolerance: 0, pass: false, detail };
}
