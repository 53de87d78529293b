/**
 * Bounds how long one submit may run: Windows resets a GPU after two seconds, so work is cut into submits of about a
 * tenth of a second, by a rate that is measured once on this adapter.
 */
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";
import { linearVec4 } from "../kernels/linear/linear_vec4.ts";

const TARGET_SECONDS = 0.1;
const SIZE = 256;
/** Dispatches of a measurement: one is enough for a slow adapter, a fast one needs more to be told from the wait. */
const DISPATCHES = [1, 8];
/** A difference of two runs that is no matter of chance. */
const ENOUGH_MS = 4;

const calibrated = new WeakSet<Gpu>();

/** Measures a device's rate in linear layers, once, and sets `gpu.maxFlopsPerSubmit`. Takes less than a tenth of a second. */
export async function calibrateSubmits(gpu: Gpu): Promise<void> {
  if (calibrated.has(gpu)) return;
  calibrated.add(gpu);
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
  let rate = 0;
  for (const dispatches of DISPATCHES) {
    // The wait itself takes time that is not the GPU's: the difference of two runs leaves it out.
    const few = await run(dispatches);
    const many = await run(3 * dispatches);
    rate = (2 * dispatches * 2 * SIZE ** 3) / Math.max(1e-4, (many - few) / 1000);
    if (many - few >= ENOUGH_MS) break;
  }
  gpu.maxFlopsPerSubmit = Math.max(2e8, TARGET_SECONDS * rate);
  recorder.dispose();
}
