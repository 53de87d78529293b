/** What the tests of kernels on stored tensors share: a device for each form, and tensors as the words that hold them. */
import { afterAll, type TestContext } from "vitest";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import type { StoredForm } from "../../src/kernels/stored.ts";
import { fromFloat16, toFloat16 } from "../../src/model/float16.ts";
import { testGpu } from "../gpu_harness.ts";

let opened: Promise<Gpu> | null = null;

/** The device of this form: one with shader-f16 for native, else the guaranteed one. Skips where there is none. */
export async function formGpu(form: StoredForm, { skip }: Pick<TestContext, "skip">): Promise<Gpu> {
  if (form !== "native") return testGpu();
  if (!opened) {
    opened = openGpu({ label: "native f16 test" });
    afterAll(async () => (await opened)?.destroy());
  }
  const gpu = await opened;
  if (!gpu.tier.startsWith("f16")) skip(`${gpu.adapterName} has no shader-f16`);
  return gpu;
}

/** A tensor as the GPU holds it in a form, and the f32 values that come out of that: the tensor itself in f32. */
export function stored(
  form: StoredForm,
  values: Float32Array,
): { words: Float32Array | Uint32Array; rounded: Float32Array } {
  if (form === "f32") return { words: values, rounded: values };
  const bits = toFloat16(values);
  return { words: new Uint32Array(bits.buffer), rounded: fromFloat16(bits) };
}

/** The values of words that `runKernel` read back. */
export function widened(form: StoredForm, words: Float32Array): Float32Array {
  if (form === "f32") return words;
  return fromFloat16(new Uint16Array(words.buffer, words.byteOffset, 2 * words.length));
}
