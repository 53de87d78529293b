import { describe, expect, it } from "vitest";
import { linearBackwardWeight } from "../../../src/kernels/linear/linear_backward_weight.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearBackwardWeightReference, linearReference } from "../../reference/linear.ts";

const SIZES = [
  [1, 1, 1],
  [3, 5, 7],
  [37, 61, 130],
  [2, 9, 64],
];

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

// Broken on purpose once: the last n left out, dw transposed, one x read twice, dw overwritten under accumulate. Each fails.
describe("linearBackwardWeight()", () => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_INPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_INPUT: 16 },
    ]) {
      it(`${rows}×${inputs} to ${outputs} outputs with ${JSON.stringify(overrides)}`, async () => {
        const shape = { rows, outputs, inputs };
        const dy = normals(rows * outputs, 1 + rows);
        const x = normals(rows * inputs, 2 + outputs);
        const before = normals(outputs * inputs, 3);
        const kernel = linearBackwardWeight.with(overrides);
        const want = linearBackwardWeightReference(shape, dy, x);
        // 4·ε·√(summed elements) of the largest result.
        const atol = 4 * 2 ** -23 * Math.sqrt(rows) * largest(want);
        const plain = await runKernel(kernel, { dy, x, dw: before }, { ...shape, accumulate: 0 });
        expectClose("dw", plain.dw, want, { atol, shape: [outputs, inputs] });
        const again = await runKernel(kernel, { dy, x, dw: before }, { ...shape, accumulate: 0 });
        expect(again.dw).toEqual(plain.dw);
        const added = await runKernel(kernel, { dy, x, dw: before }, { ...shape, accumulate: 1 });
        const sum = want.map((value, i) => value + before[i]);
        expectClose("dw + before", added.dw, sum, { atol, rtol: 4e-7, shape: [outputs, inputs] });
        // Adjoint identity <J u, dy> = <u, Jᵀ dy>.
        const u = normals(outputs * inputs, 9);
        const lhs = dot(linearReference(shape, x, u), dy);
        const rhs = dot(u, plain.dw);
        expect(Math.abs(lhs - rhs)).toBeLessThan(1e-5 * (1 + Math.sqrt(dot(u, u) * dot(plain.dw, plain.dw))));
      });
    }
  }
});
