/** What every GPU test uses: one device a file, random inputs by seed, and a comparison that says where it failed. */
import { afterAll, expect } from "vitest";
import type { BufferView, GpuBuffer } from "../src/gpu/buffer.ts";
import { type Gpu, openGpu } from "../src/gpu/device.ts";
import type { Kernel } from "../src/gpu/kernel.ts";
import { Recorder } from "../src/gpu/recorder.ts";

let opened: Promise<Gpu> | null = null;

/** The device of this test file: the guaranteed limits only, so that everything is shown to work within them. */
export function testGpu(): Promise<Gpu> {
  if (!opened) {
    opened = openGpu({ label: "test", baseOnly: true });
    afterAll(async () => (await opened)?.destroy());
  }
  return opened;
}

/** Runs one kernel once: typed arrays become buffers; returns every binding read back as floats. */
export async function runKernel<P extends string, B extends string>(
  kernel: Kernel<P, B>,
  bindings: Record<B, Float32Array | Uint32Array | Int32Array>,
  dims: Record<P, number>,
  device: Promise<Gpu> = testGpu(),
): Promise<Record<B, Float32Array>> {
  const gpu = await device;
  await gpu.compile([kernel]);
  const recorder = new Recorder(gpu, kernel.label);
  const names = Object.keys(bindings) as B[];
  const buffers = {} as Record<B, GpuBuffer>;
  for (const name of names) buffers[name] = gpu.bufferFrom(name, bindings[name]);
  kernel.encode(recorder, buffers as Record<B, BufferView>, dims);
  recorder.submit();
  const read = {} as Record<B, Float32Array>;
  for (const name of names) read[name] = await buffers[name].readFloats(0, bindings[name].length);
  for (const name of names) buffers[name][Symbol.dispose]();
  return read;
}

/** The bits of floats as unsigned words: what `runKernel` returns for u32 outputs. */
export function asWords(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Uniform numbers in [0, 1) by seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** (length) normal numbers by seed. */
export function normals(length: number, seed: number, scale = 1): Float32Array {
  const next = uniform(seed);
  return Float32Array.from(
    { length },
    () => scale * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  );
}

export interface Tolerance {
  rtol?: number;
  atol?: number;
  /** Shape, to name the worst element by its coordinates. */
  shape?: number[];
}

/** Asserts |got − want| ≤ atol + rtol·|want| for every element. */
export function expectClose(
  name: string,
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  const { rtol = 0, atol = 0, shape = [want.length] } = tolerance;
  expect(got.length, `${name}: length`).toBe(want.length);
  let worst = -1;
  let worstRatio = 0;
  let failures = 0;
  for (let i = 0; i < want.length; i++) {
    const allowed = atol + rtol * Math.abs(want[i]);
    const error = Math.abs(got[i] - want[i]);
    const ratio = Object.is(got[i], want[i]) || got[i] === want[i] ? 0 : error / allowed;
    if (!(ratio <= 1)) failures++;
    if (!(ratio <= worstRatio)) {
      worst = i;
      worstRatio = ratio;
    }
  }
  if (failures > 0) {
    const at: number[] = [];
    for (let rest = worst, axis = shape.length - 1; axis >= 0; axis--) {
      at.unshift(rest % shape[axis]);
      rest = Math.floor(rest / shape[axis]);
    }
    expect.fail(
      `${name}[${at}]: got ${got[worst]}, want ${want[worst]}, error ${worstRatio.toPrecision(3)} × tolerance; ${failures} of ${want.length} elements fail`,
    );
  }
}

/** The largest magnitude, for tolerances relative to a tensor. */
export function largest(values: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]));
  return max;
}
