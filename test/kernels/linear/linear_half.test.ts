import { describe, expect, it } from "vitest";
import { HALF_FORMS } from "../../../src/kernels/half.ts";
import { linearHalf } from "../../../src/kernels/linear/linear_half.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearReference } from "../../reference/linear.ts";
import { halfGpu, halves } from "../half_forms.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

const SIZES = [
  [1, 4, 4],
  [37, 60, 132],
  [9, 24, 128],
  [130, 36, 20],
];

// Broken on purpose once: two rows of w swapped, halves of a word swapped in `widen`, y_start left out, y overwritten under
// accumulate, bias repeated. Each fails.
describe.each(HALF_FORMS)("linearHalf(%j)", (form) => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_OUTPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_OUTPUT: 16 },
    ]) {
      it(`maps ${rows}×${inputs} to ${outputs} outputs with ${JSON.stringify(overrides)}`, async (test) => {
        const gpu = halfGpu(form, test);
        await gpu;
        const shape = { rows, outputs, inputs };
        const x = normals(rows * inputs, 1 + rows);
        const { words: w, rounded } = halves(normals(outputs * inputs, 2 + outputs));
        const bias = normals(outputs, 3);
        const before = normals(rows * outputs, 4);
        const kernel = linearHalf(form).with(overrides);
        const want = linearReference(shape, x, rounded);
        // 4·ε·√I of the largest result: a weight in f16 is exact in f32.
        const atol = 4 * 2 ** -23 * Math.sqrt(inputs) * largest(want);
        const dims = { ...shape, y_stride: outputs, y_start: 0 };
        const bindings = { x, w, bias, y: before };
        const plain = { ...dims, has_bias: 0, accumulate: 0 };
        const got = await runKernel(kernel, bindings, plain, gpu);
        expectClose("y", got.y, want, { atol, shape: [rows, outputs] });
        expect((await runKernel(oneWorkgroup(kernel), bindings, plain, gpu)).y).toEqual(got.y);
        const full = await runKernel(kernel, bindings, { ...dims, has_bias: 1, accumulate: 1 }, gpu);
        const sum = linearReference(shape, x, rounded, bias).map((value, i) => value + before[i]);
        expectClose("x·wᵀ + bias + y", full.y, sum, { atol, rtol: 4e-7, shape: [rows, outputs] });
      });
    }
  }

  it("fills ranges of columns as the whole matrix does, bit for bit", async (test) => {
    const gpu = halfGpu(form, test);
    await gpu;
    const [rows, outputs, inputs] = [37, 60, 132];
    const x = normals(rows * inputs, 1);
    const { words: w } = halves(normals(outputs * inputs, 2));
    const bias = normals(outputs, 3);
    const kernel = linearHalf(form);
    const dims = { rows, inputs, has_bias: 1, accumulate: 0 };
    const y = new Float32Array(rows * outputs);
    const all = { ...dims, outputs, y_stride: outputs, y_start: 0 };
    const whole = await runKernel(kernel, { x, w, bias, y }, all, gpu);
    const stride = outputs + 8;
    let columns: Float32Array = new Float32Array(rows * stride).fill(7);
    let first = 0;
    for (const count of [4, 44, 12]) {
      const part = {
        x,
        w: w.subarray((first * inputs) / 2, ((first + count) * inputs) / 2),
        bias: bias.subarray(first, first + count),
        y: columns,
      };
      const at = { outputs: count, y_stride: stride, y_start: 4 + first };
      columns = (await runKernel(kernel, part, { ...dims, ...at }, gpu)).y;
      first += count;
    }
    const want = Float32Array.from({ length: rows * stride }, (_, i) => {
      const column = (i % stride) - 4;
      return column >= 0 && column < outputs ? whole.y[Math.floor(i / stride) * outputs + column] : 7;
    });
    expect(columns).toEqual(want);
  });

  it("takes subnormal weights and the largest ones at their value", async (test) => {
    const gpu = halfGpu(form, test);
    await gpu;
    const [rows, outputs, inputs] = [5, 8, 20];
    // The smallest and largest subnormal, the smallest normal, the largest number; 2⁻²⁵ is nought by then.
    const sizes = [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, 2 ** -25, 37 * 2 ** -24, 1, 65472];
    const x = normals(rows * inputs, 5);
    const { words: w, rounded } = halves(
      Float32Array.from({ length: outputs * inputs }, (_, i) => sizes[Math.floor(i / inputs)] * (-1) ** i),
    );
    const bindings = { x, w, bias: new Float32Array(1), y: new Float32Array(rows * outputs) };
    const shape = { rows, outputs, inputs };
    const dims = { ...shape, has_bias: 0, accumulate: 0, y_stride: outputs, y_start: 0 };
    const { y } = await runKernel(linearHalf(form), bindings, dims, gpu);
    const want = linearReference(shape, x, rounded);
    for (let o = 0; o < outputs; o++) {
      const column = (values: ArrayLike<number>) =>
        Float64Array.from({ length: rows }, (_, n) => values[n * outputs + o]);
      const atol = 4 * 2 ** -23 * Math.sqrt(inputs) * largest(column(want));
      expectClose(`weights of ${sizes[o]}`, column(y), column(want), { atol });
    }
  });

  it.each([
    { outputs: 6, inputs: 8, y_stride: 8, y_start: 0 },
    { outputs: 8, inputs: 6, y_stride: 8, y_start: 0 },
    { outputs: 8, inputs: 8, y_stride: 10, y_start: 0 },
    { outputs: 8, inputs: 8, y_stride: 12, y_start: 2 },
  ])("refuses %j", (sizes) => {
    const dims = { rows: 2, has_bias: 0, accumulate: 0, ...sizes };
    expect(() => linearHalf(form).spec.grid(dims, linearHalf(form).overrides)).toThrow(/multiple of 4/);
  });
});
