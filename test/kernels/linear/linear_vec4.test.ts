import { describe, expect, it } from "vitest";
import { linearVec4, linearVec4Stored } from "../../../src/kernels/linear/linear_vec4.ts";
import { HALF_FORMS, STORED_FORMS } from "../../../src/kernels/stored.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearReference } from "../../reference/linear.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { formGpu, stored } from "../stored_forms.ts";

const SIZES = [
  [1, 4, 4],
  [37, 60, 132],
  [9, 24, 128],
  [130, 36, 20],
];

// Broken on purpose once: two rows of w swapped, the last k left out, bias repeated, y overwritten under accumulate,
// y_start left out, rows outputs apart instead of y_stride, halves of a word swapped in `widen`. Each fails.
describe.each(STORED_FORMS)("linearVec4Stored(%j)", (form) => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_OUTPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_OUTPUT: 16 },
    ]) {
      it(`maps ${rows}×${inputs} to ${outputs} outputs with ${JSON.stringify(overrides)}`, async (test) => {
        const gpu = formGpu(form, test);
        await gpu;
        const shape = { rows, outputs, inputs };
        const x = normals(rows * inputs, 1 + rows);
        const { words: w, rounded } = stored(form, normals(outputs * inputs, 2 + outputs));
        const bias = normals(outputs, 3);
        const before = normals(rows * outputs, 4);
        const kernel = linearVec4Stored(form).with(overrides);
        const want = linearReference(shape, x, rounded);
        // 4·ε·√I of the largest result: a weight in f16 is exact in f32.
        const atol = 4 * 2 ** -23 * Math.sqrt(inputs) * largest(want);
        const dims = { ...shape, y_stride: outputs, y_start: 0 };
        const bindings = { x, w, bias, y: before };
        const plain = { ...dims, has_bias: 0, accumulate: 0 };
        const got = await runKernel(kernel, bindings, plain, gpu);
        expectClose("y", got.y, want, { atol, shape: [rows, outputs] });
        expect((await runKernel(kernel, bindings, plain, gpu)).y).toEqual(got.y);
        expect((await runKernel(oneWorkgroup(kernel), bindings, plain, gpu)).y).toEqual(got.y);
        const full = await runKernel(kernel, bindings, { ...dims, has_bias: 1, accumulate: 1 }, gpu);
        const sum = linearReference(shape, x, rounded, bias).map((value, i) => value + before[i]);
        expectClose("x·wᵀ + bias + y", full.y, sum, { atol, rtol: 4e-7, shape: [rows, outputs] });
      });
    }
  }

  for (const parts of [[60], [24, 36], [4, 44, 12]]) {
    it(`fills ${parts.length} range(s) of columns as the whole matrix does, bit for bit`, async (test) => {
      const gpu = formGpu(form, test);
      await gpu;
      const [rows, outputs, inputs] = [37, 60, 132];
      const x = normals(rows * inputs, 1);
      const { words: w } = stored(form, normals(outputs * inputs, 2));
      const bias = normals(outputs, 3);
      const before = normals(rows * outputs, 4);
      const kernel = linearVec4Stored(form);
      const dims = { rows, inputs, has_bias: 1, accumulate: 1 };
      const all = { ...dims, outputs, y_stride: outputs, y_start: 0 };
      const whole = await runKernel(kernel, { x, w, bias, y: before }, all, gpu);
      // Four columns more on the left and on the right, which must stay as they are.
      const margin = 4;
      const stride = outputs + 2 * margin;
      let y = new Float32Array(rows * stride).fill(7);
      for (let n = 0; n < rows; n++)
        y.set(before.subarray(n * outputs, (n + 1) * outputs), n * stride + margin);
      const rowWords = w.length / outputs;
      let first = 0;
      for (const count of parts) {
        const part = {
          x,
          w: w.subarray(first * rowWords, (first + count) * rowWords),
          bias: bias.subarray(first, first + count),
          y,
        };
        const columns = { y_stride: stride, y_start: margin + first };
        y = Float32Array.from(
          (await runKernel(kernel, part, { ...dims, outputs: count, ...columns }, gpu)).y,
        );
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

  it.each([
    { outputs: 6, inputs: 8, y_stride: 8, y_start: 0 },
    { outputs: 8, inputs: 6, y_stride: 8, y_start: 0 },
    { outputs: 8, inputs: 8, y_stride: 10, y_start: 0 },
    { outputs: 8, inputs: 8, y_stride: 12, y_start: 2 },
  ])("refuses %j", (sizes) => {
    const kernel = linearVec4Stored(form);
    const dims = { rows: 2, has_bias: 0, accumulate: 0, ...sizes };
    expect(() => kernel.spec.grid(dims, kernel.overrides)).toThrow(/multiple of 4/);
  });
});

describe.each(HALF_FORMS)("linearVec4Stored(%j) at the ends of its range", (form) => {
  it("takes subnormal weights and the largest ones at their value", async (test) => {
    const gpu = formGpu(form, test);
    await gpu;
    const [rows, outputs, inputs] = [5, 8, 20];
    // The smallest and largest subnormal, the smallest normal, the largest number; 2⁻²⁵ is nought by then.
    const sizes = [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, 2 ** -25, 37 * 2 ** -24, 1, 65472];
    const x = normals(rows * inputs, 5);
    const { words: w, rounded } = stored(
      form,
      Float32Array.from({ length: outputs * inputs }, (_, i) => sizes[Math.floor(i / inputs)] * (-1) ** i),
    );
    const bindings = { x, w, bias: new Float32Array(1), y: new Float32Array(rows * outputs) };
    const shape = { rows, outputs, inputs };
    const dims = { ...shape, has_bias: 0, accumulate: 0, y_stride: outputs, y_start: 0 };
    const { y } = await runKernel(linearVec4Stored(form), bindings, dims, gpu);
    const want = linearReference(shape, x, rounded);
    for (let o = 0; o < outputs; o++) {
      const column = (values: ArrayLike<number>) =>
        Float64Array.from({ length: rows }, (_, n) => values[n * outputs + o]);
      const atol = 4 * 2 ** -23 * Math.sqrt(inputs) * largest(column(want));
      expectClose(`weights of ${sizes[o]}`, column(y), column(want), { atol });
    }
  });
});

describe("linearVec4()", () => {
  it("refuses a y that ends before the last row's columns", async () => {
    const dims = { rows: 3, outputs: 4, inputs: 4, has_bias: 0, accumulate: 0, y_stride: 12, y_start: 4 };
    const inputs = { x: normals(12, 1), w: normals(16, 2), bias: normals(4, 3) };
    await expect(runKernel(linearVec4, { ...inputs, y: new Float32Array(31) }, dims)).rejects.toThrow(
      /128 are needed/,
    );
    await runKernel(linearVec4, { ...inputs, y: new Float32Array(32) }, dims);
  });
});
