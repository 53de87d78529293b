import { describe, expect, it } from "vitest";
import { biasBackward } from "../../../src/kernels/linear/bias_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { biasBackwardReference } from "../../reference/linear.ts";

// Broken on purpose once: the last row left out, half of the tree skipped, dbias overwritten under accumulate. Each fails.
describe("biasBackward()", () => {
  for (const [rows, outputs] of [
    [1, 1],
    [7, 13],
    [131, 24],
    [64, 97],
  ]) {
    for (const overrides of [
      { LANES_OUTPUT: 8, LANES_ROW: 8 },
      { LANES_OUTPUT: 16, LANES_ROW: 16 },
      { LANES_OUTPUT: 32, LANES_ROW: 1 },
    ]) {
      it(`sums ${rows} rows of ${outputs} with ${JSON.stringify(overrides)}`, async () => {
        const dy = normals(rows * outputs, rows);
        const before = normals(outputs, 2);
        const kernel = biasBackward.with(overrides);
        const want = biasBackwardReference(dy, outputs);
        const atol = 1e-5 * largest(want);
        const plain = await runKernel(kernel, { dy, dbias: before }, { rows, outputs, accumulate: 0 });
        expectClose("dbias", plain.dbias, want, { atol });
        const again = await runKernel(kernel, { dy, dbias: before }, { rows, outputs, accumulate: 0 });
        expect(again.dbias).toEqual(plain.dbias);
        const added = await runKernel(kernel, { dy, dbias: before }, { rows, outputs, accumulate: 1 });
        const sum = want.map((value, i) => value + before[i]);
        expectClose("dbias + before", added.dbias, sum, { atol, rtol: 4e-7 });
      });
    }
  }
});
