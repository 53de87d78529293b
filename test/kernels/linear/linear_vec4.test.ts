import { describe, expect, it } from "vitest";
import { linearVec4 } from "../../../src/kernels/linear/linear_vec4.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearReference } from "../../reference/linear.ts";

const SIZES = [
  [1, 4, 4],
  [37, 60, 132],
  [9, 24, 128],
  [130, 36, 20],
];

// Broken on purpose once: two rows of w swapped, the last k left out, bias repeated, y overwritten under accumulate. Each fails.
describe("linearVec4()", () => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_OUTPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_OUTPUT: 16 },
    ]) {
      it(`maps ${rows}×${inputs} to ${outputs} outputs with ${JSON.stringify(overrides)}`, async () => {
        const shape = { rows, outputs, inputs };
        const x = normals(rows * inputs, 1 + rows);
        const w = normals(outputs * inputs, 2 + outputs);
        const bias = normals(outputs, 3);
        const before = normals(rows * outputs, 4);
        const kernel = linearVec4.with(overrides);
        const want = linearReference(shape, x, w);
        // 4·ε·√I of the largest result.
        const atol = 4 * 2 ** -23 * Math.sqrt(inputs) * largest(want);
        const inputsOf = (y: Float32Array) => ({ x, w, bias, y });
        const plain = await runKernel(kernel, inputsOf(before), { ...shape, has_bias: 0, accumulate: 0 });
        expectClose("y", plain.y, want, { atol, shape: [rows, outputs] });
        const again = await runKernel(kernel, inputsOf(before), { ...shape, has_bias: 0, accumulate: 0 });
        expect(again.y).toEqual(plain.y);
        const full = await runKernel(kernel, inputsOf(before), { ...shape, has_bias: 1, accumulate: 1 });
        const sum = linearReference(shape, x, w, bias).map((value, i) => value + before[i]);
        expectClose("x·wᵀ + bias + y", full.y, sum, { atol, rtol: 4e-7, shape: [rows, outputs] });
      });
    }
  }
});
