/**
 * Philox4x32-10 (Salmon et al. 2011), the counter-based generator that sampling draws from: on the GPU as a kernel,
 * and the same function in TypeScript for what is drawn outside it.
 */
import code from "../../../shaders/sampling/philox.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Four random words per counter; `sample` contains the same function. */
export const philox = defineKernel({
  label: "philox",
  code,
  params: { rows: "u32", key_low: "u32", key_high: "u32" },
  bindings: {
    counters: { access: "read", length: (d) => 4 * d.rows },
    words: { access: "read_write", length: (d) => 4 * d.rows },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.rows / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 200 * d.rows,
  bytes: (d) => 32 * d.rows,
});

type Words4 = readonly [number, number, number, number];
type Words2 = readonly [number, number];

function multiplyHigh(a: number, b: number): number {
  const low = (a & 0xffff) * (b & 0xffff);
  const cross = (a >>> 16) * (b & 0xffff) + Math.floor(low / 0x10000);
  const other = (a & 0xffff) * (b >>> 16) + (cross % 0x10000);
  return (a >>> 16) * (b >>> 16) + Math.floor(cross / 0x10000) + Math.floor(other / 0x10000);
}

/** Four random 32-bit words for a counter of four and a key of two unsigned words. */
export function philox4x32(counter: Words4, key: Words2): [number, number, number, number] {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    [a, b, c, d] = [
      (multiplyHigh(0xcd9e8d57, c) ^ b ^ k0) >>> 0,
      Math.imul(0xcd9e8d57, c) >>> 0,
      (multiplyHigh(0xd2511f53, a) ^ d ^ k1) >>> 0,
      Math.imul(0xd2511f53, a) >>> 0,
    ];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/**
 * The uniform number in [0, 1), a multiple of 2⁻²⁴, that `sample` uses for completion token `index` of a rollout.
 * Seed and rollout id are whole numbers below 2⁵³.
 */
export function samplingUniform(seed: number, rollout: number, index: number): number {
  const [word] = philox4x32([index, ...splitWords(rollout), 0], splitWords(seed));
  return (word >>> 8) / 2 ** 24;
}

/** A whole number below 2⁵³ as its low and high 32-bit words. */
export function splitWords(value: number): [number, number] {
  return [value % 2 ** 32, Math.floor(value / 2 ** 32)];
}
