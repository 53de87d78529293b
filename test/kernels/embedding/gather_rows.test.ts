import { describe, expect, it } from "vitest";
import { gatherRows } from "../../../src/kernels/embedding/gather_rows.ts";
import { normals, runKernel, uniform } from "../../gpu_harness.ts";
import { gatherReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: the index read by element instead of by row, the column left out. Each fails below.
describe("gatherRows()", () => {
  for (const [rows, width, sources] of [
    [1, 1, 1],
    [5, 48, 9],
    [37, 131, 20],
  ]) {
    for (const size of [32, 256]) {
      it(`gathers ${rows} of ${sources} rows of ${width} with ${size} lanes; none for an index outside`, async () => {
        const next = uniform(rows);
        const x = normals(sources * width, 1);
        const index = Uint32Array.from({ length: rows }, (_, m) =>
          m === 3 ? sources : Math.floor(next() * sources),
        );
        const inputs = { x, index, y: normals(rows * width, 2) };
        const kernel = gatherRows.with({ WORKGROUP_SIZE: size });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          const got = await runKernel(same, inputs, { rows, width, source_rows: sources });
          expect([...got.y]).toEqual([...gatherReference(x, index, width)]);
        }
      });
    }
  }
});
