import { describe, expect, it } from "vitest";
import { headNormBackward } from "../../../src/kernels/norm/head_norm_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { headNormBackwardReference, headNormReference } from "../../reference/norm.ts";

const EPS = 1e-6;

// Broken on purpose once: the weight left out of the mean, values zeroed, rrms of the neighbouring head. Each fails.
describe("headNormBackward()", () => {
  for (const [rows, heads, kvHeads, headDim] of [
    [1, 1, 1, 2],
    [5, 4, 2, 8],
    [37, 3, 1, 34],
    [7, 2, 2, 128],
  ]) {
    for (const size of [32, 256]) {
      it(`takes ${rows} rows of ${heads}+2·${kvHeads} heads of ${headDim} back with ${size} lanes`, async () => {
        const shape = { heads, kvHeads, headDim };
        const x = normals(rows * (heads + 2 * kvHeads) * headDim, rows + headDim);
        const qWeight = normals(headDim, 1).map((w) => 1 + 0.2 * w);
        const kWeight = normals(headDim, 2).map((w) => 1 + 0.2 * w);
        const dy = normals(x.length, 3);
        const rrms = Float32Array.from(headNormReference(shape, x, qWeight, kWeight, EPS).rrms);
        const want = headNormBackwardReference(shape, x, qWeight, kWeight, EPS, dy).dx;
        const inputs = { x, q_weight: qWeight, k_weight: kWeight, rrms, dy, dx: new Float32Array(x.length) };
        const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim };
        const kernel = headNormBackward.with({ WORKGROUP_SIZE: size });
        const got = await runKernel(kernel, inputs, dims);
        expectClose("dx", got.dx, want, {
          rtol: 1e-5,
          atol: 1e-6 * largest(want),
          shape: [rows, heads + 2 * kvHeads, headDim],
        });
        expect((await runKernel(kernel, inputs, dims)).dx).toEqual(got.dx);
      });
    }
  }

  it("agrees with central differences of the forward twin", async () => {
    const shape = { heads: 2, kvHeads: 1, headDim: 6 };
    const x = normals(2 * 4 * 6, 1);
    const qWeight = normals(6, 2);
    const kWeight = normals(6, 3);
    const dy = normals(x.length, 4);
    const loss = (at: ArrayLike<number>) =>
      headNormReference(shape, at, qWeight, kWeight, EPS).y.reduce((sum, y, i) => sum + y * dy[i], 0);
    const h = 1e-5;
    const want = Array.from(x, (_, i) => {
      const up = Float64Array.from(x);
      const down = Float64Array.from(x);
      up[i] += h;
      down[i] -= h;
      return (loss(up) - loss(down)) / (2 * h);
    });
    const rrms = Float32Array.from(headNormReference(shape, x, qWeight, kWeight, EPS).rrms);
    const inputs = { x, q_weight: qWeight, k_weight: kWeight, rrms, dy, dx: new Float32Array(x.length) };
    const dims = { rows: 2, heads: 2, kv_heads: 1, head_dim: 6 };
    const got = await runKernel(headNormBackward, inputs, dims);
    expectClose("dx", got.dx, want, { atol: 1e-5 * largest(want), shape: [2, 4, 6] });
  });
});
