import { describe, expect, it } from "vitest";
import { linearBackwardInputVec4Stored } from "../../../src/kernels/linear/linear_backward_input_vec4.ts";
import { HALF_FORMS, STORED_FORMS } from "../../../src/kernels/stored.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearBackwardInputReference, linearReference } from "../../reference/linear.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { formGpu, stored } from "../stored_forms.ts";

const SIZES = [
  [1, 4, 4],
  [37, 60, 132],
  [9, 24, 128],
  [9, 128, 24],
  [130, 36, 20],
  [130, 20, 36],
];

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

// Broken on purpose once: two rows of w swapped, the last o left out, low half used twice, dx overwritten under accumulate,
// halves of a word swapped in `widen`. Each fails.
describe.each(STORED_FORMS)("linearBackwardInputVec4Stored(%j)", (form) => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_INPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_INPUT: 16 },
    ]) {
      it(`maps ${rows}×${outputs} back to ${inputs} inputs with ${JSON.stringify(overrides)}`, async (test) => {
        const gpu = formGpu(form, test);
        await gpu;
        const shape = { rows, outputs, inputs };
        const dy = normals(rows * outputs, 1 + rows);
        const { words: w, rounded } = stored(form, normals(outputs * inputs, 2 + outputs));
        const before = normals(rows * inputs, 3);
        const kernel = linearBackwardInputVec4Stored(form).with(overrides);
        const want = linearBackwardInputReference(shape, dy, rounded);
        // 4·ε·√O of the largest result: a weight in f16 is exact in f32.
        const atol = 4 * 2 ** -23 * Math.sqrt(outputs) * largest(want);
        const bindings = { dy, w, dx: before };
        const plain = { ...shape, accumulate: 0 };
        const got = await runKernel(kernel, bindings, plain, gpu);
        expectClose("dx", got.dx, want, { atol, shape: [rows, inputs] });
        expect((await runKernel(kernel, bindings, plain, gpu)).dx).toEqual(got.dx);
        expect((await runKernel(oneWorkgroup(kernel), bindings, plain, gpu)).dx).toEqual(got.dx);
        const added = await runKernel(kernel, bindings, { ...shape, accumulate: 1 }, gpu);
        const sum = want.map((value, i) => value + before[i]);
        expectClose("dy·w + dx", added.dx, sum, { atol, rtol: 4e-7, shape: [rows, inputs] });
        // Adjoint identity <J u, dy> = <u, Jᵀ dy>.
        const u = normals(rows * inputs, 9);
        const lhs = dot(linearReference(shape, u, rounded), dy);
        const rhs = dot(u, got.dx);
        expect(Math.abs(lhs - rhs)).toBeLessThan(1e-5 * (1 + Math.sqrt(dot(u, u) * dot(got.dx, got.dx))));
      });
    }
  }

  it("refuses sizes that are no multiple of 4", () => {
    const kernel = linearBackwardInputVec4Stored(form);
    for (const sizes of [
      { outputs: 6, inputs: 8 },
      { outputs: 8, inputs: 6 },
    ])
      expect(() => kernel.spec.grid({ rows: 2, accumulate: 0, ...sizes }, kernel.overrides)).toThrow(
        /multiple of 4/,
      );
  });
});

describe.each(HALF_FORMS)("linearBackwardInputVec4Stored(%j) at the ends of its range", (form) => {
  it("takes subnormal weights and the largest ones at their value", async (test) => {
    const gpu = formGpu(form, test);
    await gpu;
    const [rows, outputs, inputs] = [5, 20, 8];
    const sizes = [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, 2 ** -25, 37 * 2 ** -24, 1, 65472];
    const dy = normals(rows * outputs, 5);
    const { words: w, rounded } = stored(
      form,
      Float32Array.from(
        { length: outputs * inputs },
        (_, i) => sizes[i % inputs] * (-1) ** Math.floor(i / inputs),
      ),
    );
    const shape = { rows, outputs, inputs };
    const bindings = { dy, w, dx: new Float32Array(rows * inputs) };
    const kernel = linearBackwardInputVec4Stored(form);
    const { dx } = await runKernel(kernel, bindings, { ...shape, accumulate: 0 }, gpu);
    const want = linearBackwardInputReference(shape, dy, rounded);
    for (let k = 0; k < inputs; k++) {
      const column = (values: ArrayLike<number>) =>
        Float64Array.from({ length: rows }, (_, n) => values[n * inputs + k]);
      const atol = 4 * 2 ** -23 * Math.sqrt(outputs) * largest(column(want));
      expectClose(`weights of ${sizes[k]}`, column(dx), column(want), { atol });
    }
  });
});
