import { describe, expect, it } from "vitest";
import { attention } from "../../../src/kernels/attention/attention.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { attentionReference, segmentsOf } from "../../reference/attention.ts";

function inputsFor(lengths: readonly number[], heads: number, kvHeads: number, headDim: number, scale = 1) {
  const segments = segmentsOf(lengths);
  const rows = segments.length / 2;
  return {
    qkv: normals(rows * (heads + 2 * kvHeads) * headDim, 31 * rows + headDim, scale),
    segments,
    out: new Float32Array(rows * heads * headDim).fill(7),
    lse: new Float32Array(rows * heads).fill(7),
  };
}

// Broken on purpose once: keys up to n+1, head % K instead of h·K/H, no decay of the sums. Each fails below.
describe("attention()", () => {
  for (const [lengths, heads, kvHeads, headDim] of [
    [[1], 1, 1, 4],
    [[5, 17, 1], 4, 2, 8],
    [[33, 31, 2], 4, 1, 80],
    [[37, 64, 3, 29], 3, 1, 64],
    [[48, 21], 2, 2, 128],
    [[19, 3], 2, 1, 256],
    [[131], 9, 3, 32],
  ] as const) {
    for (const WORKGROUP_SIZE of [16, 64]) {
      it(`attends within ${lengths} with ${heads}/${kvHeads} heads of ${headDim}, ${WORKGROUP_SIZE} lanes`, async () => {
        const inputs = inputsFor(lengths, heads, kvHeads, headDim);
        const rows = inputs.segments.length / 2;
        const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim, scale: 1 / Math.sqrt(headDim) };
        const want = attentionReference(inputs.qkv, inputs.segments, { heads, kvHeads, headDim });
        const kernel = attention(headDim).with({ WORKGROUP_SIZE });
        const got = await runKernel(kernel, inputs, dims);
        // A softmax and a weighted mean: 1e-5 of the largest output, which cancellation cannot exceed.
        expectClose("out", got.out, want.out, {
          rtol: 1e-5,
          atol: 1e-5 * largest(want.out),
          shape: [rows, heads, headDim],
        });
        expectClose("lse", got.lse, want.lse, { rtol: 1e-5, atol: 1e-5, shape: [rows, heads] });
      });
    }
  }

  it("writes zeros on padding rows and does not let them disturb their neighbours", async () => {
    const inputs = inputsFor([3, -2, 6, -5], 2, 1, 8);
    const want = attentionReference(inputs.qkv, inputs.segments, { heads: 2, kvHeads: 1, headDim: 8 });
    const got = await runKernel(attention(8), inputs, {
      rows: 16,
      heads: 2,
      kv_heads: 1,
      head_dim: 8,
      scale: 1 / Math.sqrt(8),
    });
    expectClose("out", got.out, want.out, { rtol: 1e-5, atol: 1e-5, shape: [16, 2, 8] });
    expect([...got.out.slice(11 * 16)].every((value) => value === 0)).toBe(true);
  });

  it("stays finite where scores are in the hundreds", async () => {
    const inputs = inputsFor([40], 1, 1, 32, 12);
    const want = attentionReference(inputs.qkv, inputs.segments, { heads: 1, kvHeads: 1, headDim: 32 });
    const dims = { rows: 40, heads: 1, kv_heads: 1, head_dim: 32, scale: 1 / Math.sqrt(32) };
    const got = await runKernel(attention(32), inputs, dims);
    // Scores near 500 carry 500·2⁻²⁴ absolute error into the exponent, hence 1e-4.
    expectClose("out", got.out, want.out, { atol: 1e-4 * largest(want.out), shape: [40, 1, 32] });
  });

  it("gives every sequence what it gets alone, and the same bits twice", async () => {
    const inputs = inputsFor([21, 40, 7], 2, 2, 16);
    const dims = { rows: 68, heads: 2, kv_heads: 2, head_dim: 16, scale: 0.25 };
    const packed = await runKernel(attention(16), inputs, dims);
    expect(await runKernel(attention(16), inputs, dims)).toEqual(packed);
    const alone = await runKernel(
      attention(16),
      {
        qkv: inputs.qkv.slice(21 * 96, 61 * 96),
        segments: segmentsOf([40]),
        out: new Float32Array(40 * 32),
        lse: new Float32Array(80),
      },
      { ...dims, rows: 40 },
    );
    // Packed rows group their keys by four from another offset, so only rounding may differ.
    expectClose("out", alone.out, packed.out.slice(21 * 32, 61 * 32), { rtol: 1e-5, atol: 1e-6 });
  });

  it("refuses head sizes and head counts it cannot run", async () => {
    expect(() => attention(6)).toThrow(RangeError);
    expect(() => attention(260)).toThrow(RangeError);
    const inputs = inputsFor([2], 3, 2, 8);
    await expect(
      runKernel(attention(8), inputs, { rows: 2, heads: 3, kv_heads: 2, head_dim: 8, scale: 1 }),
    ).rejects.toThrow(/whole number of query heads/);
  });
});
