import { describe, expect, it } from "vitest";
import { rmsNorm } from "../../../src/kernels/norm/rms_norm.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";
import { rmsNormReference } from "../../reference/norm.ts";

// Broken on purpose once: eps outside the root, weight[c+1], division by rows. Each fails below.
describe("rmsNorm()", () => {
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
      it(`normalises ${rows}×${width} with ${JSON.stringify(lanes)} and keeps rrms`, async () => {
        const x = normals(rows * width, 7 * rows + width);
        const weight = normals(width, 3, 0.1).map((w) => 1 + w);
        const want = rmsNormReference(x, weight, 1e-5);
        const kernel = rmsNorm.with(lanes);
        const inputs = { x, weight, y: new Float32Array(x.length), rrms: new Float32Array(rows) };
        const got = await runKernel(kernel, inputs, { rows, width, eps: 1e-5 });
        // inverseSqrt may be 2 ulp off, the sum is of f32: 1e-6 relative and a little for tiny x.
        expectClose("y", got.y, want.y, { rtol: 1e-6, atol: 1e-7, shape: [rows, width] });
        expectClose("rrms", got.rrms, want.rrms, { rtol: 1e-6 });
        const again = await runKernel(kernel, inputs, { rows, width, eps: 1e-5 });
        expect(again.y).toEqual(got.y);
      });
    }
  }

  it("refuses a buffer that is too small", async () => {
    const inputs = {
      x: new Float32Array(8),
      weight: new Float32Array(4),
      y: new Float32Array(8),
      rrms: new Float32Array(2),
    };
    await expect(runKernel(rmsNorm, inputs, { rows: 3, width: 4, eps: 1e-5 })).rejects.toThrow(
      /x .* 48 are needed/,
    );
  });
});
