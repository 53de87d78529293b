import { describe, expect, it } from "vitest";
import { embeddingHalf } from "../../../src/kernels/embedding/embedding_half.ts";
import { HALF_FORMS } from "../../../src/kernels/stored.ts";
import { fromFloat16 } from "../../../src/model/float16.ts";
import { asWords, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { gatherReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { formGpu, stored } from "../stored_forms.ts";

// Broken on purpose once: `first` left out, halves of a word swapped in `widen`, words of a vector swapped. Each fails.
describe.each(HALF_FORMS)("embeddingHalf(%j)", (form) => {
  for (const [rows, width, parts] of [
    [1, 4, [1]],
    [7, 12, [17]],
    [131, 36, [50]],
    [131, 36, [23, 27]],
    [131, 36, [1, 30, 19]],
    [40, 300, [1, 1, 1]],
  ] as const) {
    for (const size of [32, 256]) {
      it(`looks up ${rows} rows of ${width} in parts of ${parts} with ${size} lanes`, async (test) => {
        const gpu = formGpu(form, test);
        await gpu;
        const vocab = parts.reduce((sum: number, count) => sum + count, 0);
        const next = uniform(rows);
        const { words, rounded } = stored(form, normals(vocab * width, 1));
        const ids = Uint32Array.from({ length: rows }, () => Math.floor(next() * vocab));
        const kernel = embeddingHalf(form).with({ WORKGROUP_SIZE: size });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          let y: Float32Array = new Float32Array(rows * width);
          let first = 0;
          for (const count of parts) {
            const table = words.subarray((first * width) / 2, ((first + count) * width) / 2);
            const dims = { rows, width, vocab: count, first };
            y = (await runKernel(same, { table, ids, y }, dims, gpu)).y;
            first += count;
          }
          expect([...y]).toEqual([...gatherReference(rounded, ids, width)]);
        }
      });
    }
  }

  it("leaves rows alone whose id lies before or after the table's", async (test) => {
    const gpu = formGpu(form, test);
    await gpu;
    const { words: table, rounded } = stored(form, normals(12, 1));
    const inputs = { table, ids: Uint32Array.of(8, 0xffffffff, 6, 4), y: normals(16, 2) };
    const got = await runKernel(embeddingHalf(form), inputs, { rows: 4, width: 4, vocab: 3, first: 5 }, gpu);
    expect([...got.y]).toEqual([
      ...inputs.y.subarray(0, 8),
      ...rounded.subarray(4, 8),
      ...inputs.y.subarray(12),
    ]);
  });

  // WGSL lets an adapter take subnormals for zero; those that are tested keep them.
  it("widens every finite f16 exactly", async (test) => {
    const gpu = formGpu(form, test);
    await gpu;
    const bits = Uint16Array.from({ length: 2 * 0x7c00 }, (_, i) => (i < 0x7c00 ? i : 0x8000 | (i - 0x7c00)));
    const width = 124;
    const rows = bits.length / width;
    const inputs = {
      table: new Uint32Array(bits.buffer),
      ids: Uint32Array.from({ length: rows }, (_, n) => n),
      y: new Float32Array(bits.length),
    };
    const got = await runKernel(embeddingHalf(form), inputs, { rows, width, vocab: rows, first: 0 }, gpu);
    expect(asWords(got.y)).toEqual(asWords(fromFloat16(bits)));
  });

  it("refuses a width that is no multiple of 4", () => {
    const kernel = embeddingHalf(form);
    const dims = { rows: 1, width: 6, vocab: 2, first: 0 };
    expect(() => kernel.spec.grid(dims, kernel.overrides)).toThrow(/multiple of 4/);
  });
});
