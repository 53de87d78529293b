import { describe, expect, it } from "vitest";
import { Kernel } from "../../../src/gpu/kernel.ts";
import { attention } from "../../../src/kernels/attention/attention.ts";
import { decodeAttentionStored } from "../../../src/kernels/attention/decode_attention.ts";
import { kvStoreStored } from "../../../src/kernels/attention/kv_store.ts";
import { STORED_FORMS, storedWords } from "../../../src/kernels/stored.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { decodeAttentionReference, segmentsOf } from "../../reference/attention.ts";
import { formGpu, stored } from "../stored_forms.ts";

const NONE = 0xffffffff;

// Broken on purpose once: position in place of position + 1, no decay between tiles, parts not added, halves of a word
// swapped in `widen`, keys read for values. Each fails below.
describe.each(STORED_FORMS)("decodeAttentionStored(%j)", (form) => {
  for (const [heads, kvHeads, headDim, capacity] of [
    [1, 1, 4, 3],
    [4, 2, 8, 70],
    [3, 1, 80, 131],
    [4, 4, 32, 40],
    [2, 1, 256, 200],
  ]) {
    for (const WORKGROUP_SIZE of [8, 32, 64]) {
      if (headDim / 4 > WORKGROUP_SIZE) continue;
      it(`attends up to ${capacity} cached positions with ${heads}/${kvHeads} heads of ${headDim}, ${WORKGROUP_SIZE} lanes`, async (test) => {
        const gpu = formGpu(form, test);
        await gpu;
        const [slots, sourceRows] = [5, 6];
        const size = slots * kvHeads * capacity * headDim;
        const qkv = normals(sourceRows * (heads + 2 * kvHeads) * headDim, 3);
        const keys = stored(form, normals(size, 4));
        const values = stored(form, normals(size, 5));
        const rows = [
          { source: 0, slot: 3, length: capacity },
          { source: 5, slot: 0, length: 1 },
          { source: 1, slot: NONE, length: 0 },
          { source: 2, slot: 4, length: Math.ceil(capacity / 2) },
          { source: 2, slot: 3, length: capacity - 1 },
        ];
        const want = decodeAttentionReference(qkv, keys.rounded, values.rounded, rows, {
          heads,
          kvHeads,
          headDim,
          capacity,
        });
        const inputs = {
          qkv,
          entries: Uint32Array.from(rows.flatMap(({ source, slot, length }) => [source, slot, length - 1])),
          cache_k: keys.words,
          cache_v: values.words,
          out: new Float32Array(rows.length * heads * headDim).fill(7),
        };
        const dims = {
          rows: rows.length,
          source_rows: sourceRows,
          heads,
          kv_heads: kvHeads,
          head_dim: headDim,
          slots,
          capacity,
          scale: 1 / Math.sqrt(headDim),
        };
        const kernel = decodeAttentionStored(form).with({ WORKGROUP_SIZE });
        const got = await runKernel(kernel, inputs, dims, gpu);
        // A softmax and a weighted mean: 1e-5 of the largest output, which cancellation cannot exceed.
        expectClose("out", got.out, want, {
          rtol: 1e-5,
          atol: 1e-5 * largest(want),
          shape: [rows.length, heads, headDim],
        });
        expect((await runKernel(kernel, inputs, dims, gpu)).out).toEqual(got.out);
        // One workgroup a head strides over the entries.
        const strided = new Kernel({ ...kernel.spec, grid: () => [heads, 1, 1] });
        expect((await runKernel(strided, inputs, dims, gpu)).out).toEqual(got.out);
      });
    }
  }

  it("gives what attention over the whole sequence gives, from a cache that kvStoreStored filled, but for the rounding", async (test) => {
    const gpu = formGpu(form, test);
    await gpu;
    const [heads, kvHeads, headDim, T] = [4, 2, 16, 37];
    const qkv = normals(T * 8 * headDim, 9);
    const scale = 1 / Math.sqrt(headDim);
    const shape = { heads, kv_heads: kvHeads, head_dim: headDim };
    const whole = await runKernel(
      attention(headDim),
      {
        qkv,
        segments: segmentsOf([T]),
        out: new Float32Array(T * heads * headDim),
        lse: new Float32Array(T * heads),
      },
      { rows: T, ...shape, scale },
    );
    const entries = Uint32Array.from(
      { length: 3 * T },
      (_, i) => [Math.floor(i / 3), 1, Math.floor(i / 3)][i % 3],
    );
    const room = { slots: 2, capacity: 40 };
    const cache = new Float32Array(storedWords(form, room.slots * kvHeads * room.capacity * headDim));
    const filled = await runKernel(
      kvStoreStored(form),
      { qkv, entries, cache_k: cache, cache_v: cache },
      { entries: T, rows: T, ...shape, ...room },
      gpu,
    );
    const decoded = await runKernel(
      decodeAttentionStored(form),
      {
        qkv,
        entries,
        cache_k: filled.cache_k,
        cache_v: filled.cache_v,
        out: new Float32Array(T * heads * headDim),
      },
      { rows: T, source_rows: T, ...shape, ...room, scale },
      gpu,
    );
    if (form === "f32") {
      expectClose("out", decoded.out, whole.out, { rtol: 1e-5, atol: 1e-5 * largest(whole.out) });
      return;
    }
    // Keys and values in f16 are within 2⁻¹⁰ of what they were: 2e-3 of the largest output.
    expectClose("out", decoded.out, whole.out, { atol: 2e-3 * largest(whole.out) });
    expect(decoded.out).not.toEqual(whole.out);
  });

  it("refuses heads that are wider than its lanes", () => {
    const kernel = decodeAttentionStored(form).with({ WORKGROUP_SIZE: 8 });
    const sizes = { rows: 1, source_rows: 1, heads: 1, kv_heads: 1, head_dim: 64, slots: 1, capacity: 1 };
    expect(() => kernel.spec.grid({ ...sizes, scale: 1 }, kernel.overrides)).toThrow(/16 are needed/);
  });
});
