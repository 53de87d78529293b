import { describe, expect, it } from "vitest";
import { embedding } from "../../../src/kernels/embedding/embedding.ts";
import { normals, runKernel, uniform } from "../../gpu_harness.ts";
import { gatherReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: the row's offset by rows instead of width, an unknown id clamped, `first` left out. Each fails below.
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
          const got = await runKernel(same, inputs, { rows, width, vocab, first: 0 });
          expect([...got.y]).toEqual([...gatherReference(table, ids, width)]);
        }
      });
    }
  }

  for (const parts of [[23, 27], [1, 30, 19], [50]]) {
    it(`fills y from a table in parts of ${parts} rows, bit for bit`, async () => {
      const [rows, width, vocab] = [131, 37, 50];
      const next = uniform(rows);
      const table = normals(vocab * width, 1);
      const ids = Uint32Array.from({ length: rows }, () => Math.floor(next() * vocab));
      let y = new Float32Array(rows * width);
      let first = 0;
      for (const count of parts) {
        const part = { table: table.subarray(first * width, (first + count) * width), ids, y };
        y = Float32Array.from((await runKernel(embedding, part, { rows, width, vocab: count, first })).y);
        first += count;
      }
      expect(first).toBe(vocab);
      expect([...y]).toEqual([...gatherReference(table, ids, width)]);
    });
  }

  it("leaves rows alone whose id lies before or after the table's", async () => {
    const inputs = { table: normals(6, 1), ids: Uint32Array.of(8, 0xffffffff, 6, 4), y: normals(8, 2) };
    const got = await runKernel(embedding, inputs, { rows: 4, width: 2, vocab: 3, first: 5 });
    const { table, y } = inputs;
    expect([...got.y]).toEqual([y[0], y[1], y[2], y[3], table[2], table[3], y[6], y[7]]);
  });
});
