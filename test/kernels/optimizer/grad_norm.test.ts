import { describe, expect, it } from "vitest";
import { gradNorm, gradNormPartials } from "../../../src/kernels/optimizer/grad_norm.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";

// Broken on purpose once: the last element left out, `start` left out, values not squared. Each fails below.
describe("gradNorm()", () => {
  for (const count of [1, 63, 1024, 1025, 70_001]) {
    for (const size of [32, 256]) {
      it(`sums the squares of ${count} numbers into its own range with ${size} lanes`, async () => {
        const gradient = normals(count, count);
        const parts = gradNormPartials(count);
        const start = 3;
        const partials = new Float32Array(start + parts + 2).fill(-7);
        const kernel = gradNorm.with({ WORKGROUP_SIZE: size });
        const got = (await runKernel(kernel, { gradient, partials }, { count, start })).partials;
        const outside = [...got.slice(0, start), ...got.slice(start + parts)];
        expect(outside).toEqual([-7, -7, -7, -7, -7]);
        const sum = got.slice(start, start + parts).reduce((a, b) => a + b, 0);
        const want = gradient.reduce((total, g) => total + g * g, 0);
        expectClose("sum of partials", [sum], [want], { rtol: 1e-5 });
        expect((await runKernel(kernel, { gradient, partials }, { count, start })).partials).toEqual(got);
      });
    }
  }

  it("needs at most 1024 partials, one per 1024 gradients", () => {
    expect([1, 1024, 1025, 1 << 20, 1 << 28].map(gradNormPartials)).toEqual([1, 1, 2, 1024, 1024]);
  });
});
