import { describe, expect, it } from "vitest";
import { linearBackwardInput } from "../../../src/kernels/linear/linear_backward_input.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { linearBackwardInputReference, linearReference } from "../../reference/linear.ts";

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

// Broken on purpose once: dy by input, the last o left out, two columns of w swapped, dx overwritten under accumulate. Each fails.
describe("linearBackwardInput()", () => {
  for (const [rows, outputs, inputs] of SIZES) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, LANES_INPUT: 4 },
      { WORKGROUP_SIZE: 64, LANES_INPUT: 16 },
    ]) {
      it(`${rows}×${inputs} to ${outputs} outputs with ${JSON.stringify(overrides)}`, async () => {
        const shape = { rows, outputs, inputs };
        const dy = normals(rows * outputs, 1 + rows);
        const w = normals(outputs * inputs, 2 + outputs);
        const before = normals(rows * inputs, 3);
        const kernel = linearBackwardInput.with(overrides);
        const want = linearBackwardInputReference(shape, dy, w);
        // 4·ε·√(summed elements) of the largest result.
        const atol = 4 * 2 ** -23 * Math.sqrt(outputs) * largest(want);
        const plain = await runKernel(kernel, { dy, w, dx: before }, { ...shape, accumulate: 0 });
        expectClose("dx", plain.dx, want, { atol, shape: [rows, inputs] });
        const again = await runKernel(kernel, { dy, w, dx: before }, { ...shape, accumulate: 0 });
        expect(again.dx).toEqual(plain.dx);
        const added = await runKernel(kernel, { dy, w, dx: before }, { ...shape, accumulate: 1 });
        const sum = want.map((value, i) => value + before[i]);
        expectClose("dx + before", added.dx, sum, { atol, rtol: 4e-7, shape: [rows, inputs] });
        // Adjoint identity <J u, dy> = <u, Jᵀ dy>.
        const u = normals(rows * inputs, 9);
        const lhs = dot(linearReference(shape, u, w), dy);
        const rhs = dot(u, plain.dx);
        expect(Math.abs(lhs - rhs)).toBeLessThan(1e-5 * (1 + Math.sqrt(dot(u, u) * dot(plain.dx, plain.dx))));
      });
    }
  }
});
