/**
 * Bounds how long one submit may run: Windows resets a GPU after two seconds, so work is cut into submits of about a
 * tenth of a second, by a rate that is measured once on this adapter.
 */
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";
import { linearVec4 } from "../kernels/linear/linear_vec4.ts";

const TARGET_SECONDS = 0.1;
const SIZE = 256;
const DISPATCHES = 8;

/** Measures this adapter's rate in linear layers and sets `gpu.maxFlopsPerSubmit`. Takes about a tenth of a second. */
export async function calibrateSubmits(gpu: Gpu): Promise<void> {
  await gpu.compile([linearVec4]);
  const recorder = new Recorder(gpu, "calibration");
  using x = gpu.buffer("calibration x", SIZE * SIZE);
  using w = gpu.buffer("calibration w", SIZE * SIZE);
  using y = gpu.buffer("calibration y", SIZE * SIZE);
  const sizes = { rows: SIZE, outputs: SIZE, inputs: SIZE };
  const dims = { ...sizes, has_bias: 0, accumulate: 0, y_stride: SIZE, y_start: 0 };
  const run = async (dispatches: number) => {
    for (let i = 0; i < dispatches; i++) linearVec4.encode(recorder, { x, w, bias: w, y }, dims);
    recorder.submit();
    const from = performance.now();
    await gpu.idle();
    return performance.now() - from;
  };
  await run(1);
  // The wait itself takes time that is not the GPU's: the difference of two runs leaves it out.
  const few = await run(DISPATCHES);
  const many = await run(3 * DISPATCHES);
  const seconds = Math.max(1e-4, (many - few) / 1000);
  const rate = (2 * DISPATCHES * 2 * SIZE ** 3) / seconds;
  gpu.maxFlopsPerSubmit = Math.max(2e8, TARGET_SECONDS * rate);
  recorder.dispose();
}
