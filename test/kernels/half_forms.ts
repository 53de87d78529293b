/** What the tests of the kernels on f16 share: a device for each form, and f16 tensors as the words that hold them. */
import { afterAll, type TestContext } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import type { HalfForm } from "../../src/kernels/half.ts";
import { fromFloat16, toFloat16 } from "../../src/model/float16.ts";
import { testGpu } from "../gpu_harness.ts";

let opened: Promise<Gpu> | null = null;

/** The device of this form: the guaranteed one for packed, one with shader-f16 for native. Skips where there is none. */
export async function halfGpu(form: HalfForm, { skip }: Pick<TestContext, "skip">): Promise<Gpu> {
  if (form === "packed") return testGpu();
  if (!opened) {
    opened = openGpu({ label: "half test" });
    afterAll(async () => (await opened)?.destroy());
  }
  const gpu = await opened;
  if (!gpu.tier.startsWith("f16")) skip(`${gpu.adapterName} has no shader-f16`);
  return gpu;
}

/** A tensor as the GPU holds it in f16, two values a word, and the f32 values that come out of that. */
export function halves(values: Float32Array): { words: Uint32Array; rounded: Float32Array } {
  const bits = toFloat16(values);
  return { words: new Uint32Array(bits.buffer), rounded: fromFloat16(bits) };
}

/** The f16 values of words that `runKernel` read back. */
export function widened(words: Float32Array): Float32Array {
  return fromFloat16(new Uint16Array(words.buffer, words.byteOffset, 2 * words.length));
}
