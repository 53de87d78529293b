import { describe, expect, it } from "vitest";
import { clipCoefficient } from "../../../src/kernels/optimizer/clip_coefficient.ts";
import { expectClose, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { clipReference } from "../../reference/optimizer.ts";

// Broken on purpose once: no root, no minimum with 1, the check for infinity left out. Each fails below.
describe("clipCoefficient()", () => {
  for (const count of [1, 63, 257]) {
    for (const size of [32, 256]) {
      for (const maxNorm of [0.5, 1e6]) {
        it(`reduces ${count} partials with ${size} lanes and clips at ${maxNorm}`, async () => {
          const roots = normals(count, count);
          const inputs = { partials: roots.map((root) => root * root), norm: new Float32Array(2) };
          const kernel = clipCoefficient.with({ WORKGROUP_SIZE: size });
          const got = (await runKernel(kernel, inputs, { count, max_norm: maxNorm })).norm;
          const want = clipReference([roots], maxNorm);
          expectClose("norm and coefficient", got, [want.norm, want.coefficient], { rtol: 1e-5 });
          expect((await runKernel(kernel, inputs, { count, max_norm: maxNorm })).norm).toEqual(got);
        });
      }
    }
  }

  for (const [name, bad] of [
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
  ] as const) {
    it(`answers 0 and still reports the norm when a partial is ${name}`, async () => {
      const next = uniform(1);
      const partials = Float32Array.from({ length: 100 }, next);
      partials[77] = bad;
      const inputs = { partials, norm: Float32Array.of(1, 1) };
      const got = (await runKernel(clipCoefficient, inputs, { count: 100, max_norm: 1 })).norm;
      expect(got[0]).toBe(bad);
      expect(got[1]).toBe(0);
    });
  }

  it("leaves a zero gradient alone", async () => {
    const inputs = { partials: new Float32Array(4), norm: new Float32Array(2) };
    const got = (await runKernel(clipCoefficient, inputs, { count: 4, max_norm: 1 })).norm;
    expect([...got]).toEqual([0, 1]);
  });
});
