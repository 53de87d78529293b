import { describe, expect, it } from "vitest";
import { kvStore } from "../../../src/kernels/attention/kv_store.ts";
import { normals, runKernel } from "../../gpu_harness.ts";

const NONE = 0xffffffff;

// Broken on purpose once: value heads taken for key heads, position before head. Each fails below.
describe("kvStore()", () => {
  for (const [heads, kvHeads, headDim] of [
    [1, 1, 4],
    [4, 2, 8],
    [9, 3, 80],
  ]) {
    for (const WORKGROUP_SIZE of [32, 256]) {
      it(`fans rows out to slots with ${heads}/${kvHeads} heads of ${headDim}, ${WORKGROUP_SIZE} lanes`, async () => {
        const [rows, slots, capacity] = [5, 4, 7];
        const width = (heads + 2 * kvHeads) * headDim;
        const qkv = normals(rows * width, headDim);
        // One row to three slots; a skipped slot, source and position; one decode entry.
        const entries = [
          [2, 0, 1],
          [2, 1, 1],
          [2, 3, 1],
          [0, NONE, 0],
          [rows, 0, 0],
          [1, 1, capacity],
          [4, 2, 6],
        ];
        const want = new Float32Array(slots * kvHeads * capacity * headDim).fill(7);
        const wantValues = want.slice();
        for (const [source, slot, position] of [...entries.slice(0, 3), entries[6]]) {
          for (let g = 0; g < kvHeads; g++) {
            const at = ((slot * kvHeads + g) * capacity + position) * headDim;
            const from = source * width + (heads + g) * headDim;
            want.set(qkv.subarray(from, from + headDim), at);
            const value = from + kvHeads * headDim;
            wantValues.set(qkv.subarray(value, value + headDim), at);
          }
        }
        const got = await runKernel(
          kvStore.with({ WORKGROUP_SIZE }),
          {
            qkv,
            entries: Uint32Array.from(entries.flat()),
            cache_k: want.slice().fill(7),
            cache_v: want.slice().fill(7),
          },
          { entries: entries.length, rows, heads, kv_heads: kvHeads, head_dim: headDim, slots, capacity },
        );
        expect(got.cache_k).toEqual(want);
        expect(got.cache_v).toEqual(wantValues);
      });
    }
  }

  it("refuses head sizes that are no multiple of 4", async () => {
    const empty = new Float32Array(64);
    await expect(
      runKernel(
        kvStore,
        { qkv: empty, entries: new Uint32Array(3), cache_k: empty, cache_v: empty },
        { entries: 1, rows: 1, heads: 1, kv_heads: 1, head_dim: 6, slots: 1, capacity: 1 },
      ),
    ).rejects.toThrow(/multiple of 4/);
  });
});
