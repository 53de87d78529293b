/** The kernels of linear, norm and convert: each gives the same bits from one workgroup as from the grid it asks for. */
import { describe, expect, it } from "vitest";
import type { Kernel } from "../../src/gpu/kernel.ts";
import { bf16ToF32 } from "../../src/kernels/convert/bf16_to_f32.ts";
import { f16ToF32 } from "../../src/kernels/convert/f16_to_f32.ts";
import { f32ToBf16 } from "../../src/kernels/convert/f32_to_bf16.ts";
import { f32ToF16 } from "../../src/kernels/convert/f32_to_f16.ts";
import { biasBackward } from "../../src/kernels/linear/bias_backward.ts";
import { linear } from "../../src/kernels/linear/linear.ts";
import { linearBackwardInput } from "../../src/kernels/linear/linear_backward_input.ts";
import { linearBackwardInputVec4 } from "../../src/kernels/linear/linear_backward_input_vec4.ts";
import { linearBackwardWeight } from "../../src/kernels/linear/linear_backward_weight.ts";
import { linearBackwardWeightVec4 } from "../../src/kernels/linear/linear_backward_weight_vec4.ts";
import { linearVec4 } from "../../src/kernels/linear/linear_vec4.ts";
import { headNorm } from "../../src/kernels/norm/head_norm.ts";
import { headNormBackward } from "../../src/kernels/norm/head_norm_backward.ts";
import { headNormWeightBackward } from "../../src/kernels/norm/head_norm_weight_backward.ts";
import { rmsNorm } from "../../src/kernels/norm/rms_norm.ts";
import { rmsNormBackward } from "../../src/kernels/norm/rms_norm_backward.ts";
import { rmsNormWeightBackward } from "../../src/kernels/norm/rms_norm_weight_backward.ts";
import { asWords, normals, runKernel } from "../gpu_harness.ts";
import { oneWorkgroup } from "./one_workgroup.ts";

/** Every kernel's parameters here. */
const DIMS = {
  ...{
    rows: 137,
    outputs: 76,
    inputs: 140,
    has_bias: 1,
    accumulate: 1,
    y_stride: 84,
    y_start: 4,
    width: 44,
    eps: 1e-5,
  },
  ...{ heads: 3, kv_heads: 2, head_dim: 18, first: 1, count: 2 },
};

async function outputs(kernel: Kernel<string, string>, dims: Record<string, number>): Promise<Uint32Array[]> {
  const bindings = Object.entries(kernel.spec.bindings).map(([name, { length }], i) => [
    name,
    normals(length(dims), i),
  ]);
  return Object.values(await runKernel(kernel, Object.fromEntries(bindings), dims)).map(asWords);
}

// Broken on purpose once: sums of linear.wgsl not zeroed for the next block, no stride in rms_norm and f32_to_f16. Each fails.
describe("striding over the grid", () => {
  const all = [
    ...[linear, linearVec4, linearBackwardInput, linearBackwardInputVec4, linearBackwardWeight],
    ...[linearBackwardWeightVec4, biasBackward, rmsNorm, rmsNormBackward, rmsNormWeightBackward],
    ...[headNorm, headNormBackward, headNormWeightBackward, f32ToBf16, bf16ToF32, f32ToF16, f16ToF32],
  ] as unknown as Kernel<string, string>[];
  for (const kernel of all) {
    it(`${kernel.label}: one workgroup does the work of all`, async () => {
      const dims = kernel.label.includes("f16") ? { count: 2501 } : DIMS;
      const [x, y, z] = kernel.spec.grid(dims, kernel.overrides);
      expect(x * y * z, "workgroups").toBeGreaterThan(1);
      const want = await outputs(kernel, dims);
      expect(await outputs(oneWorkgroup(kernel), dims)).toEqual(want);
    });
  }
});
