import { describe, expect, it } from "vitest";
import { headNorm } from "../../../src/kernels/norm/head_norm.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";
import { headNormReference } from "../../reference/norm.ts";

// Broken on purpose once: k_weight on the queries, a value head normalised, rrms by head of H + 2K, no eps. Each fails.
describe("headNorm()", () => {
  for (const [rows, heads, kvHeads, headDim] of [
    [1, 1, 1, 2],
    [5, 4, 2, 8],
    [37, 3, 1, 34],
    [7, 2, 2, 128],
  ]) {
    for (const size of [32, 256]) {
      it(`normalises ${rows} rows of ${heads}+2·${kvHeads} heads of ${headDim} with ${size} lanes`, async () => {
        const x = normals(rows * (heads + 2 * kvHeads) * headDim, rows + headDim);
        const qWeight = normals(headDim, 1).map((w) => 1 + 0.2 * w);
        const kWeight = normals(headDim, 2).map((w) => 1 + 0.2 * w);
        const want = headNormReference({ heads, kvHeads, headDim }, x, qWeight, kWeight, 1e-6);
        const inputs = {
          x,
          q_weight: qWeight,
          k_weight: kWeight,
          y: new Float32Array(x.length),
          rrms: new Float32Array(rows * (heads + kvHeads)),
        };
        const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim, eps: 1e-6 };
        const kernel = headNorm.with({ WORKGROUP_SIZE: size });
        const got = await runKernel(kernel, inputs, dims);
        // inverseSqrt may be 2 ulp off; the serial sum of at most 128 squares adds a few more.
        expectClose("y", got.y, want.y, { rtol: 2e-6, shape: [rows, heads + 2 * kvHeads, headDim] });
        expectClose("rrms", got.rrms, want.rrms, { rtol: 2e-6, shape: [rows, heads + kvHeads] });
        expect((await runKernel(kernel, inputs, dims)).y).toEqual(got.y);
      });
    }
  }
});
