import { describe, expect, it } from "vitest";
import { scatterRows } from "../../../src/kernels/embedding/scatter_rows.ts";
import { normals, runKernel } from "../../gpu_harness.ts";
import { scatterReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: overwriting instead of adding, the index read by element. Each fails below.
describe("scatterRows()", () => {
  for (const [rows, width, targets] of [
    [1, 1, 1],
    [5, 48, 9],
    [37, 131, 50],
  ]) {
    for (const size of [32, 256]) {
      it(`adds ${rows} rows of ${width} into ${targets} with ${size} lanes; leaves an index outside out`, async () => {
        const x = normals(rows * width, 1);
        // 7 has no factor in common with 9 or 50: the rows are distinct and out of order.
        const index = Uint32Array.from({ length: rows }, (_, m) => (m === 3 ? targets : (m * 7) % targets));
        const y = normals(targets * width, 2);
        const kernel = scatterRows.with({ WORKGROUP_SIZE: size });
        // One addition each: the f64 sum rounded to f32 is what f32 gives.
        const want = Float32Array.from(scatterReference(y, index, x, width));
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          const got = await runKernel(same, { x, index, y }, { rows, width, target_rows: targets });
          expect(got.y).toEqual(want);
        }
      });
    }
  }
});
