import { describe, expect, it } from "vitest";
import { rmsNormBackward } from "../../../src/kernels/norm/rms_norm_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { rmsNormBackwardReference, rmsNormReference } from "../../reference/norm.ts";

const EPS = 1e-5;

// Broken on purpose once: rrms instead of rrms², the mean without its division, dx overwritten. Each fails below.
describe("rmsNormBackward()", () => {
  for (const [rows, width] of [
    [1, 1],
    [5, 48],
    [37, 131],
    [3, 576],
  ]) {
    for (const lanes of [
      { LANES_COLUMN: 8, LANES_ROW: 8 },
      { LANES_COLUMN: 64, LANES_ROW: 1 },
      { LANES_COLUMN: 4, LANES_ROW: 64 },
    ]) {
      it(`takes ${rows}×${width} back with ${JSON.stringify(lanes)}`, async () => {
        const x = normals(rows * width, 3 * rows + width);
        const weight = normals(width, 3, 0.2).map((w) => 1 + w);
        const dy = normals(rows * width, 5);
        const before = normals(rows * width, 6);
        const rrms = Float32Array.from(rmsNormReference(x, weight, EPS).rrms);
        const want = rmsNormBackwardReference(x, weight, EPS, dy).dx;
        const kernel = rmsNormBackward.with(lanes);
        const run = (accumulate: number) =>
          runKernel(kernel, { x, weight, rrms, dy, dx: before }, { rows, width, accumulate });
        // With one column the true gradient is almost nothing: what is subtracted, rrms·dy·weight, sets the scale.
        const atol = 1e-6 * Math.max(largest(want), width === 1 ? largest(dy) * largest(rrms) : 0);
        const plain = (await run(0)).dx;
        expectClose("dx", plain, want, { rtol: 1e-5, atol, shape: [rows, width] });
        expect((await run(0)).dx).toEqual(plain);
        const sum = want.map((value, i) => value + before[i]);
        expectClose("dx + before", (await run(1)).dx, sum, { rtol: 1e-5, atol, shape: [rows, width] });
      });
    }
  }

  it("agrees with central differences of the forward twin", async () => {
    const [rows, width] = [3, 11];
    const x = normals(rows * width, 1);
    const weight = normals(width, 2);
    const dy = normals(rows * width, 3);
    const loss = (at: ArrayLike<number>) => {
      const { y } = rmsNormReference(at, weight, EPS);
      let sum = 0;
      for (let i = 0; i < y.length; i++) sum += y[i] * dy[i];
      return sum;
    };
    const h = 1e-5;
    const want = Array.from(x, (_, i) => {
      const up = Float64Array.from(x);
      const down = Float64Array.from(x);
      up[i] += h;
      down[i] -= h;
      return (loss(up) - loss(down)) / (2 * h);
    });
    const rrms = Float32Array.from(rmsNormReference(x, weight, EPS).rrms);
    const inputs = { x, weight, rrms, dy, dx: new Float32Array(x.length) };
    const got = await runKernel(rmsNormBackward, inputs, { rows, width, accumulate: 0 });
    expectClose("dx", got.dx, want, { atol: 1e-5 * largest(want), shape: [rows, width] });
  });
});
