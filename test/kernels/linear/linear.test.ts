import { describe, expect, it } from "vitest";
import { linear } from "../../../src/kernels/linear/linear.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearReference } from "../../reference/linear.ts";

const SIZES = [
  [1, 1, 1],
  [3, 5, 7],
  [37, 61, 130],
  [2, 9, 64],
];

// Broken on purpose once: two rows of w mixed up, the last k left out, bias by row, y overwritten under accumulate. Each fails.
describe("linear()", () => {
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
        const kernel = linear.with(overrides);
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
