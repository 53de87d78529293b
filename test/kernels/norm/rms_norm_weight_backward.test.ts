import { describe, expect, it } from "vitest";
import { rmsNormWeightBackward } from "../../../src/kernels/norm/rms_norm_weight_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { rmsNormBackwardReference, rmsNormReference } from "../../reference/norm.ts";

// Broken on purpose once: rrms left out, half of the tree skipped, dweight overwritten under accumulate. Each fails.
describe("rmsNormWeightBackward()", () => {
  for (const [rows, width] of [
    [1, 1],
    [5, 48],
    [131, 37],
    [17, 576],
  ]) {
    for (const lanes of [
      { LANES_COLUMN: 8, LANES_ROW: 8 },
      { LANES_COLUMN: 16, LANES_ROW: 16 },
      { LANES_COLUMN: 64, LANES_ROW: 1 },
    ]) {
      it(`sums ${rows}×${width} with ${JSON.stringify(lanes)}`, async () => {
        const x = normals(rows * width, rows + width);
        const weight = normals(width, 3);
        const dy = normals(rows * width, 5);
        const before = normals(width, 6);
        const rrms = Float32Array.from(rmsNormReference(x, weight, 1e-5).rrms);
        const want = rmsNormBackwardReference(x, weight, 1e-5, dy).dweight;
        const kernel = rmsNormWeightBackward.with(lanes);
        const run = (accumulate: number) =>
          runKernel(kernel, { x, rrms, dy, dweight: before }, { rows, width, accumulate });
        const atol = 1e-5 * largest(want);
        const plain = (await run(0)).dweight;
        expectClose("dweight", plain, want, { atol });
        expect((await run(0)).dweight).toEqual(plain);
        const sum = want.map((value, i) => value + before[i]);
        expectClose("dweight + before", (await run(1)).dweight, sum, { atol, rtol: 4e-7 });
      });
    }
  }
});
