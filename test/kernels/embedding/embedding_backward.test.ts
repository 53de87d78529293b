import { describe, expect, it } from "vitest";
import { embeddingBackward } from "../../../src/kernels/embedding/embedding_backward.ts";
import { embeddingPlan } from "../../../src/kernels/embedding/embedding_plan.ts";
import { expectClose, largest, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { scatterReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

describe("embeddingPlan()", () => {
  it("lists the rows of every id in ascending order and leaves unknown ids out", () => {
    const plan = embeddingPlan(Uint32Array.of(2, 0, 2, 9, 2), 4);
    expect([...plan.offsets]).toEqual([0, 1, 1, 4, 4]);
    expect([...plan.rows.subarray(0, 4)]).toEqual([1, 0, 2, 4]);
    expect(plan.rows.length).toBe(5);
  });
});

// Broken on purpose once: the last row of a list left out, dtable overwritten under accumulate, absent ids skipped
// when not accumulating, `first` left out. Each fails below.
describe("embeddingBackward()", () => {
  for (const [rows, width, vocab] of [
    [1, 1, 1],
    [7, 12, 17],
    [131, 37, 50],
    [40, 300, 3],
    [9, 2, 1500],
  ]) {
    for (const size of [32, 256]) {
      it(`adds ${rows} rows up into ${vocab}×${width} with ${size} lanes`, async () => {
        const next = uniform(rows);
        const ids = Uint32Array.from({ length: rows }, () => Math.floor(next() ** 2 * vocab));
        const plan = embeddingPlan(ids, vocab);
        const dy = normals(rows * width, 2);
        const before = normals(vocab * width, 3);
        const kernel = embeddingBackward.with({ WORKGROUP_SIZE: size });
        const run = (accumulate: number, same = kernel) =>
          runKernel(same, { ...plan, dy, dtable: before }, { vocab, width, rows, accumulate, first: 0 });
        const want = scatterReference(new Float64Array(vocab * width), ids, dy, width);
        const atol = 1e-5 * largest(want);
        const plain = (await run(0)).dtable;
        expectClose("dtable", plain, want, { atol, shape: [vocab, width] });
        expect((await run(0)).dtable).toEqual(plain);
        expect((await run(0, oneWorkgroup(kernel))).dtable).toEqual(plain);
        const sum = scatterReference(before, ids, dy, width);
        expectClose("dtable + before", (await run(1)).dtable, sum, { atol, shape: [vocab, width] });
      });
    }
  }

  for (const parts of [
    [23, 27],
    [1, 30, 19],
  ]) {
    it(`fills a table in parts of ${parts} rows as one of 50, bit for bit`, async () => {
      const [rows, width, vocab] = [131, 37, 50];
      const next = uniform(rows);
      const plan = embeddingPlan(
        Uint32Array.from({ length: rows }, () => Math.floor(next() ** 2 * vocab)),
        vocab,
      );
      const dy = normals(rows * width, 2);
      const before = normals(vocab * width, 3);
      for (const accumulate of [0, 1]) {
        const dims = { width, rows, accumulate };
        const whole = await runKernel(
          embeddingBackward,
          { ...plan, dy, dtable: before },
          { ...dims, vocab, first: 0 },
        );
        let first = 0;
        for (const count of parts) {
          const at = [first * width, (first + count) * width] as const;
          const part = { ...plan, dy, dtable: before.subarray(...at) };
          const got = await runKernel(embeddingBackward, part, { ...dims, vocab: count, first });
          expect(got.dtable).toEqual(whole.dtable.subarray(...at));
          first += count;
        }
        expect(first).toBe(vocab);
      }
    });
  }
});
