import { describe, expect, it } from "vitest";
import { attentionDelta } from "../../../src/kernels/attention/attention_delta.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";

// Broken on purpose once: dout[d] · out[d+1], the last quad left out. Each fails below.
describe("attentionDelta()", () => {
  for (const [rows, heads, headDim] of [
    [1, 1, 4],
    [13, 3, 80],
    [67, 4, 32],
  ]) {
    for (const WORKGROUP_SIZE of [32, 256]) {
      it(`sums dout · out over ${rows}×${heads} heads of ${headDim} with ${WORKGROUP_SIZE} lanes`, async () => {
        const dout = normals(rows * heads * headDim, rows);
        const out = normals(rows * heads * headDim, rows + 1);
        const sums = (of: (a: number, b: number) => number) =>
          Float64Array.from({ length: rows * heads }, (_, i) => {
            let sum = 0;
            for (let d = i * headDim; d < (i + 1) * headDim; d++) sum += of(dout[d], out[d]);
            return sum;
          });
        const want = sums((a, b) => a * b);
        const size = sums((a, b) => Math.abs(a * b)).reduce((a, b) => Math.max(a, b));
        const inputs = { dout, out, delta: new Float32Array(rows * heads) };
        const kernel = attentionDelta.with({ WORKGROUP_SIZE });
        const dims = { rows, heads, head_dim: headDim };
        const got = await runKernel(kernel, inputs, dims);
        expectClose("delta", got.delta, want, { rtol: 1e-5, atol: 1e-6 * size, shape: [rows, heads] });
        expect((await runKernel(kernel, inputs, dims)).delta).toEqual(got.delta);
      });
    }
  }

  it("refuses head sizes that are no multiple of 4", async () => {
    const inputs = { dout: new Float32Array(6), out: new Float32Array(6), delta: new Float32Array(1) };
    await expect(runKernel(attentionDelta, inputs, { rows: 1, heads: 1, head_dim: 6 })).rejects.toThrow(
      RangeError,
    );
  });
});
