import { describe, expect, it } from "vitest";
import { attentionBackwardQuery } from "../../../src/kernels/attention/attention_backward_query.ts";
import { expectClose, largest, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { attentionBackwardReference, attentionReference, segmentsOf } from "../../reference/attention.ts";

function caseOf(lengths: readonly number[], heads: number, kvHeads: number, headDim: number) {
  const segments = segmentsOf(lengths);
  const rows = segments.length / 2;
  const shape = { heads, kvHeads, headDim };
  const qkv = normals(rows * (heads + 2 * kvHeads) * headDim, 17 * rows + headDim);
  const dout = normals(rows * heads * headDim, rows);
  const { out, lse } = attentionReference(qkv, segments, shape);
  const delta = Float32Array.from({ length: rows * heads }, (_, i) => {
    let sum = 0;
    for (let d = i * headDim; d < (i + 1) * headDim; d++) sum += dout[d] * out[d];
    return sum;
  });
  const inputs = { qkv, segments, dout, lse: Float32Array.from(lse), delta, dqkv: qkv.slice().fill(7) };
  return {
    inputs,
    shape,
    dims: { rows, heads, kv_heads: kvHeads, head_dim: headDim, scale: 1 / Math.sqrt(headDim) },
  };
}

/** Splits (N, H+2K, D) into what this kernel writes and what it must leave alone. */
function split(dqkv: ArrayLike<number>, heads: number, kvHeads: number, headDim: number) {
  const written: number[] = [];
  const left: number[] = [];
  for (let i = 0; i < dqkv.length; i++) {
    const head = Math.floor(i / headDim) % (heads + 2 * kvHeads);
    (head < heads ? written : left).push(dqkv[i]);
  }
  return { written, left };
}

// Broken on purpose once: no delta, a column twice, row n seeing key n+1. Each fails below.
describe("attentionBackwardQuery()", () => {
  for (const [lengths, heads, kvHeads, headDim] of [
    [[1], 1, 1, 4],
    [[5, 17, 1], 4, 2, 8],
    [[33, 31, -3, 2], 4, 1, 80],
    [[9, 30], 2, 2, 128],
    [[19, 3], 2, 1, 256],
    [[71], 9, 3, 32],
  ] as const) {
    for (const WORKGROUP_SIZE of [16, 64]) {
      it(`gives the gradient of ${lengths} with ${heads}/${kvHeads} heads of ${headDim}, ${WORKGROUP_SIZE} lanes`, async () => {
        const { inputs, shape, dims } = caseOf(lengths, heads, kvHeads, headDim);
        const want = attentionBackwardReference(inputs.qkv, inputs.segments, inputs.dout, shape);
        const kernel = attentionBackwardQuery(headDim).with({ WORKGROUP_SIZE });
        const got = await runKernel(kernel, inputs, dims);
        const { written, left } = split(got.dqkv, heads, kvHeads, headDim);
        const wanted = split(want, heads, kvHeads, headDim).written;
        expectClose("dq", written, wanted, {
          atol: 1e-4 * Math.max(largest(wanted), 1e-3),
          shape: [dims.rows, heads, headDim],
        });
        expect(left.every((value) => value === 7)).toBe(true);
        expect((await runKernel(kernel, inputs, dims)).dqkv).toEqual(got.dqkv);
      });
    }
  }

  it("agrees with central differences of the forward pass", async () => {
    const { inputs, shape, dims } = caseOf([6, 11, 2], 4, 2, 8);
    const { dqkv } = await runKernel(attentionBackwardQuery(8), inputs, dims);
    const loss = (qkv: Float64Array) =>
      attentionReference(qkv, inputs.segments, shape).out.reduce((sum, o, i) => sum + o * inputs.dout[i], 0);
    const next = uniform(5);
    for (let tried = 0; tried < 40; ) {
      const i = Math.floor(next() * dqkv.length);
      const head = Math.floor(i / 8) % 8;
      const { heads } = shape;
      if (!(head < heads)) continue;
      tried++;
      const moved = Float64Array.from(inputs.qkv);
      moved[i] += 1e-4;
      const above = loss(moved);
      moved[i] -= 2e-4;
      const slope = (above - loss(moved)) / 2e-4;
      expect(Math.abs(dqkv[i] - slope), `dqkv[${i}]`).toBeLessThan(1e-4);
    }
  });
});
