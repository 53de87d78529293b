import { describe, expect, it } from "vitest";
import { headNormWeightBackward } from "../../../src/kernels/norm/head_norm_weight_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { headNormBackwardReference, headNormReference } from "../../reference/norm.ts";

// Broken on purpose once: `first` left out, rrms of the neighbouring head, dweight overwritten under accumulate. Each fails.
describe("headNormWeightBackward()", () => {
  for (const [rows, heads, kvHeads, headDim] of [
    [1, 1, 1, 2],
    [5, 4, 2, 8],
    [37, 3, 1, 34],
    [7, 2, 2, 128],
  ]) {
    for (const lanes of [
      { LANES_COLUMN: 8, LANES_ROW: 8 },
      { LANES_COLUMN: 16, LANES_ROW: 2 },
    ]) {
      it(`sums ${rows} rows of ${heads}+2·${kvHeads} heads of ${headDim} with ${JSON.stringify(lanes)}`, async () => {
        const shape = { heads, kvHeads, headDim };
        const x = normals(rows * (heads + 2 * kvHeads) * headDim, rows + headDim);
        const qWeight = normals(headDim, 1);
        const kWeight = normals(headDim, 2);
        const dy = normals(x.length, 3);
        const before = normals(headDim, 4);
        const rrms = Float32Array.from(headNormReference(shape, x, qWeight, kWeight, 1e-6).rrms);
        const { dq, dk } = headNormBackwardReference(shape, x, qWeight, kWeight, 1e-6, dy);
        const kernel = headNormWeightBackward.with(lanes);
        for (const [want, first, count] of [
          [dq, 0, heads],
          [dk, heads, kvHeads],
        ] as const) {
          const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim, first, count };
          const run = (accumulate: number) =>
            runKernel(kernel, { x, rrms, dy, dweight: before }, { ...dims, accumulate });
          const atol = 1e-5 * largest(want);
          const plain = (await run(0)).dweight;
          expectClose(`dweight from head ${first}`, plain, want, { atol });
          expect((await run(0)).dweight).toEqual(plain);
          const sum = want.map((value, i) => value + before[i]);
          expectClose("dweight + before", (await run(1)).dweight, sum, { atol, rtol: 4e-7 });
        }
      });
    }
  }
});
