import { describe, expect, it } from "vitest";
import { kvStoreStored } from "../../../src/kernels/attention/kv_store.ts";
import { STORED_FORMS, type StoredForm, storedWords } from "../../../src/kernels/stored.ts";
import { normals, runKernel } from "../../gpu_harness.ts";

import { oneWorkgroup } from "../one_workgroup.ts";
import { formGpu, stored, widened } from "../stored_forms.ts";

const NONE = 0xffffffff;

/** Numbers that f16 holds, that it must round, that it holds only as subnormals and that are too large for it. */
const HARD = [
  ...[0, 1, -1, 65504, -65504, 2 ** -14, -(2 ** -24), 1023 * 2 ** -24, 0.5, -1024],
  ...[1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 - 2 ** -12, 1 / 3, -Math.PI, 2 ** -14 + 2 ** -26, 1.4 * 2 ** -24],
  ...[65519, 65520, -65536, 1e6, -3e38],
];

/** Whether `got` is `value` where the form holds it, else one of the two f16 next to it. */
function isKept(form: StoredForm, got: number, value: number): boolean {
  if (form === "f32") return Object.is(got, value);
  const clamped = Math.min(65504, Math.max(-65504, value));
  const { rounded } = stored(form, Float32Array.of(clamped, 0));
  if (rounded[0] === clamped) return got === clamped;
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(clamped))));
  const isHalf = stored(form, Float32Array.of(got, 0)).rounded[0] === got;
  return isHalf && Math.abs(got - clamped) < 2 ** (exponent - 10);
}

// Broken on purpose once: value heads taken for key heads, position before head, no clamp, halves of a word swapped in
// `narrow`. Each fails below.
describe.each(STORED_FORMS)("kvStoreStored(%j)", (form) => {
  for (const [heads, kvHeads, headDim] of [
    [1, 1, 4],
    [4, 2, 8],
    [9, 3, 80],
  ]) {
    for (const WORKGROUP_SIZE of [32, 256]) {
      it(`fans rows out to slots with ${heads}/${kvHeads} heads of ${headDim}, ${WORKGROUP_SIZE} lanes`, async (test) => {
        const gpu = formGpu(form, test);
        await gpu;
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
        const size = slots * kvHeads * capacity * headDim;
        // −7 is what must stay where nothing is stored.
        const want = { cache_k: new Float32Array(size).fill(-7), cache_v: new Float32Array(size).fill(-7) };
        for (const [source, slot, position] of [...entries.slice(0, 3), entries[6]]) {
          for (let g = 0; g < kvHeads; g++) {
            const at = ((slot * kvHeads + g) * capacity + position) * headDim;
            const from = source * width + (heads + g) * headDim;
            want.cache_k.set(qkv.subarray(from, from + headDim), at);
            const value = from + kvHeads * headDim;
            want.cache_v.set(qkv.subarray(value, value + headDim), at);
          }
        }
        const { words } = stored(form, new Float32Array(size).fill(-7));
        const kernel = kvStoreStored(form).with({ WORKGROUP_SIZE });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          const got = await runKernel(
            same,
            { qkv, entries: Uint32Array.from(entries.flat()), cache_k: words, cache_v: words },
            { entries: entries.length, rows, heads, kv_heads: kvHeads, head_dim: headDim, slots, capacity },
            gpu,
          );
          for (const name of ["cache_k", "cache_v"] as const) {
            const wrong = [...widened(form, got[name])]
              .map((value, i) => ({ i, value, wanted: want[name][i] }))
              .filter(({ value, wanted }) => !isKept(form, value, wanted));
            expect(wrong, name).toEqual([]);
          }
        }
      });
    }
  }

  it("keeps what the form can hold, rounds to a neighbour and stops at the largest", async (test) => {
    const gpu = formGpu(form, test);
    await gpu;
    const headDim = Math.ceil(HARD.length / 4) * 4;
    const qkv = new Float32Array(3 * headDim);
    qkv.set(HARD, headDim);
    qkv.set(HARD.toReversed(), 2 * headDim);
    const cache = new Float32Array(storedWords(form, headDim));
    const dims = { entries: 1, rows: 1, heads: 1, kv_heads: 1, head_dim: headDim, slots: 1, capacity: 1 };
    const inputs = { qkv, entries: new Uint32Array(3), cache_k: cache, cache_v: cache };
    const got = await runKernel(kvStoreStored(form), inputs, dims, gpu);
    const wrong = [...widened(form, got.cache_k), ...widened(form, got.cache_v)]
      .map((value, i) => ({ value, wanted: qkv[headDim + i] }))
      .filter(({ value, wanted }) => !isKept(form, value, wanted));
    expect(wrong).toEqual([]);
  });

  it("refuses head sizes that are no multiple of 4", () => {
    const kernel = kvStoreStored(form);
    const dims = { entries: 1, rows: 1, heads: 1, kv_heads: 1, head_dim: 6, slots: 1, capacity: 1 };
    expect(() => kernel.spec.grid(dims, kernel.overrides)).toThrow(/multiple of 4/);
  });
});
