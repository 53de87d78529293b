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

// Broken on purpose once: two rows of w mixed up, the last k left out, bias by row, y overwritten under accumulate,
// y_start left out, rows outputs apart instead of y_stride. Each fails.
describe("linear()", () => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_OUTPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_OUTPUT: 16 },
    ]) {
      it(`maps ${rows}×${inputs} to ${outputs} outputs with ${JSON.stringify(overrides)}`, async () => {
        const shape = { rows, outputs, inputs };
        const dims = { ...shape, y_stride: outputs, y_start: 0 };
        const x = normals(rows * inputs, 1 + rows);
        const w = normals(outputs * inputs, 2 + outputs);
        const bias = normals(outputs, 3);
        const before = normals(rows * outputs, 4);
        const kernel = linear.with(overrides);
        const want = linearReference(shape, x, w);
        // 4·ε·√I of the largest result.
        const atol = 4 * 2 ** -23 * Math.sqrt(inputs) * largest(want);
        const inputsOf = (y: Float32Array) => ({ x, w, bias, y });
        const plain = await runKernel(kernel, inputsOf(before), { ...dims, has_bias: 0, accumulate: 0 });
        expectClose("y", plain.y, want, { atol, shape: [rows, outputs] });
        const again = await runKernel(kernel, inputsOf(before), { ...dims, has_bias: 0, accumulate: 0 });
        expect(again.y).toEqual(plain.y);
        const full = await runKernel(kernel, inputsOf(before), { ...dims, has_bias: 1, accumulate: 1 });
        const sum = linearReference(shape, x, w, bias).map((value, i) => value + before[i]);
        expectClose("x·wᵀ + bias + y", full.y, sum, { atol, rtol: 4e-7, shape: [rows, outputs] });
      });
    }
  }

  for (const parts of [[61], [20, 41], [1, 47, 13]]) {
    it(`fills ${parts.length} range(s) of columns as the whole matrix does, bit for bit`, async () => {
      const [rows, outputs, inputs] = [37, 61, 130];
      const x = normals(rows * inputs, 1);
      const w = normals(outputs * inputs, 2);
      const bias = normals(outputs, 3);
      const before = normals(rows * outputs, 4);
      const dims = { rows, inputs, has_bias: 1, accumulate: 1 };
      const all = { ...dims, outputs, y_stride: outputs, y_start: 0 };
      const whole = await runKernel(linear, { x, w, bias, y: before }, all);
      // Two columns more on the left and on the right, which must stay as they are.
      const margin = 2;
      const stride = outputs + 2 * margin;
      let y = new Float32Array(rows * stride).fill(7);
      for (let n = 0; n < rows; n++)
        y.set(before.subarray(n * outputs, (n + 1) * outputs), n * stride + margin);
      let first = 0;
      for (const count of parts) {
        const part = {
          x,
          w: w.subarray(first * inputs, (first + count) * inputs),
          bias: bias.subarray(first, first + count),
          y,
        };
        const columns = { y_stride: stride, y_start: margin + first };
        y = Float32Array.from((await runKernel(linear, part, { ...dims, outputs: count, ...columns })).y);
        first += count;
      }
      expect(first).toBe(outputs);
      for (let n = 0; n < rows; n++) {
        const row = y.subarray(n * stride, (n + 1) * stride);
        expect(row.subarray(margin, margin + outputs)).toEqual(
          whole.y.subarray(n * outputs, (n + 1) * outputs),
        );
        const edges = [...row.subarray(0, margin), ...row.subarray(margin + outputs)];
        expect(edges).toEqual(new Array(2 * margin).fill(7));
      }
    });
  }

  it("refuses a y that ends before the last row's columns", async () => {
    const dims = { rows: 3, outputs: 4, inputs: 4, has_bias: 0, accumulate: 0, y_stride: 12, y_start: 4 };
    const inputs = { x: normals(12, 1), w: normals(16, 2), bias: normals(4, 3) };
    await expect(runKernel(linear, { ...inputs, y: new Float32Array(31) }, dims)).rejects.toThrow(
      /128 are needed/,
    );
    await runKernel(linear, { ...inputs, y: new Float32Array(32) }, dims);
  });
});
