import { describe, expect, it } from "vitest";
import { embedding } from "../../../src/kernels/embedding/embedding.ts";
import { normals, runKernel, uniform } from "../../gpu_harness.ts";
import { gatherReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: the row's offset by rows instead of width, an unknown id clamped. Each fails below.
describe("embedding()", () => {
  for (const [rows, width, vocab] of [
    [1, 1, 1],
    [7, 12, 17],
    [131, 37, 50],
  ]) {
    for (const size of [32, 256]) {
      it(`looks up ${rows} of ${vocab}×${width} with ${size} lanes`, async () => {
        const next = uniform(rows);
        const table = normals(vocab * width, 1);
        const ids = Uint32Array.from({ length: rows }, () => Math.floor(next() * vocab));
        const inputs = { table, ids, y: new Float32Array(rows * width) };
        const kernel = embedding.with({ WORKGROUP_SIZE: size });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          const got = await runKernel(same, inputs, { rows, width, vocab });
          expect([...got.y]).toEqual([...gatherReference(table, ids, width)]);
        }
      });
    }
  }

  it("reads zeros for an id outside the table", async () => {
    const inputs = { table: normals(6, 1), ids: Uint32Array.of(3, 0xffffffff, 1), y: normals(6, 2) };
    const got = await runKernel(embedding, inputs, { rows: 3, width: 2, vocab: 3 });
    expect([...got.y]).toEqual([0, 0, 0, 0, inputs.table[2], inputs.table[3]]);
  });
});
