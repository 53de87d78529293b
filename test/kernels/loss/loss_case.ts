/** Random inputs of the loss kernels: f32 values, so that the float64 twin starts from the same numbers. */
import { normals, uniform } from "../../gpu_harness.ts";

export interface GpuLossCase {
  offsets: Uint32Array;
  logprob: Float32Array;
  old: Float32Array;
  sampler: Float32Array;
  ref: Float32Array;
  advantage: Float32Array;
  weight: Float32Array;
  entropy: Float32Array;
}

/** Lengths that leave lanes idle, fill a workgroup exactly and go over it. */
export const RAGGED = [1, 7, 64, 3, 131, 2, 300, 65];

/** Where a loss has a kink: no token's ratio comes closer than 1e-3, since f32 may fall on either side. */
export const KINKS = [0.5, 0.8, 1.2, 1.28, 2, 3];

/** One advantage a sequence, one weight a sequence, log ratios of deviation 0.4. */
export function randomCase(lengths: readonly number[], seed: number): GpuLossCase {
  const offsets = new Uint32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  const tokens = offsets[lengths.length];
  const next = uniform(seed);
  const logprob = Float32Array.from({ length: tokens }, () => -0.02 - 4 * next());
  const shifted = (by: Float32Array) => logprob.map((x, m) => x + by[m]);
  const old = shifted(normals(tokens, seed + 1, 0.4));
  for (let m = 0; m < tokens; m++) {
    const ratio = Math.exp(logprob[m] - old[m]);
    if (KINKS.some((kink) => Math.abs(ratio - kink) < 1e-3)) old[m] += 0.01;
  }
  const signs = normals(lengths.length, seed + 4);
  const perSequence = (values: ArrayLike<number>) => {
    const all = new Float32Array(tokens);
    lengths.forEach((_, i) => {
      all.fill(values[i], offsets[i], offsets[i + 1]);
    });
    return all;
  };
  return {
    offsets,
    logprob,
    old,
    sampler: old.map((x, m) => x + 0.1 * Math.sin(7 * m)),
    ref: shifted(normals(tokens, seed + 3, 0.3)),
    advantage: perSequence(signs),
    weight: perSequence(lengths.map((length) => 1 / (lengths.length * length))),
    entropy: Float32Array.from({ length: tokens }, () => 3 * next()),
  };
}

/** Weight 0 and NaN or huge inputs on every eleventh token. */
export function poison(c: GpuLossCase): GpuLossCase {
  const spoil = (values: Float32Array, by: number) => values.map((x, m) => (m % 11 === 5 ? by : x));
  return {
    offsets: c.offsets,
    logprob: spoil(c.logprob, Number.NaN),
    old: spoil(c.old, 1e4),
    sampler: spoil(c.sampler, -1e4),
    ref: spoil(c.ref, Number.NaN),
    advantage: spoil(c.advantage, Number.NaN),
    weight: spoil(c.weight, 0),
    entropy: spoil(c.entropy, Number.NaN),
  };
}

/** The columns of stats (M, 4) that the twin knows. */
export function column(stats: Float32Array, index: number): Float32Array {
  return Float32Array.from({ length: stats.length / 4 }, (_, m) => stats[4 * m + index]);
}
