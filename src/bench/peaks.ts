/** What an adapter does at most: multiply-adds in registers, and a copy that no cache holds. */
import type { Gpu } from "../gpu/device.ts";
import { copyQuads } from "../kernels/probe/copy_quads.ts";
import { multiplyAdd } from "../kernels/probe/multiply_add.ts";
import type { Stopwatch } from "./stopwatch.ts";

export interface Peaks {
  /** Floating-point operations a second, a multiply-add counted as two. */
  flopsPerSecond: number;
  /** Bytes a second, read and written together. */
  bytesPerSecond: number;
}

/** Enough rows to fill a large GPU. */
const ROWS = 2 ** 18;
const ENOUGH_SECONDS = 0.02;
const MAX_ROUNDS = 2 ** 14;
/** Bytes of each of the copy's two buffers, at most: beyond most caches. */
const COPY_BYTES = 2 ** 26;

/** Measures both peaks, the fastest of `repeats` samples each, in about a second on a processor. */
export async function measurePeaks(stopwatch: Stopwatch, repeats = 10): Promise<Peaks> {
  const { gpu } = stopwatch;
  await gpu.compile([multiplyAdd, copyQuads]);
  return {
    flopsPerSecond: await multiplyAddPeak(stopwatch, repeats),
    bytesPerSecond: await copyPeak(stopwatch, repeats),
  };
}

async function multiplyAddPeak(stopwatch: Stopwatch, repeats: number): Promise<number> {
  using x = stopwatch.gpu.buffer("peak", 8 * ROWS);
  for (let rounds = 16; ; rounds *= 4) {
    const dims = { rows: ROWS, rounds, factor: 0.99, addend: 0.01 };
    const { fastest } = await stopwatch.time((recorder) => multiplyAdd.encode(recorder, { x }, dims), 1);
    if (fastest < ENOUGH_SECONDS && rounds < MAX_ROUNDS) continue;
    const timing = await stopwatch.time((recorder) => multiplyAdd.encode(recorder, { x }, dims), repeats);
    return multiplyAdd.spec.flops(dims) / timing.fastest;
  }
}

async function copyPeak(stopwatch: Stopwatch, repeats: number): Promise<number> {
  const quads = Math.floor(copyLength(stopwatch.gpu) / 4);
  using x = stopwatch.gpu.buffer("copy source", 4 * quads);
  using y = stopwatch.gpu.buffer("copy target", 4 * quads);
  const timing = await stopwatch.time((recorder) => copyQuads.encode(recorder, { x, y }, { quads }), repeats);
  return copyQuads.spec.bytes({ quads }) / timing.fastest;
}

function copyLength({ device, maxMemoryBytes, allocatedBytes }: Gpu): number {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const room = (maxMemoryBytes - allocatedBytes) / 2;
  return Math.min(COPY_BYTES, maxStorageBufferBindingSize, maxBufferSize, room) / 4;
}
