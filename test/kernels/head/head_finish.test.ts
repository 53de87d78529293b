import { describe, expect, it } from "vitest";
import { headFinish } from "../../../src/kernels/head/head_finish.ts";
import { expectClose, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

/** States of rows whose target has a logit at or under the maximum. */
function states(rows: number): Float32Array {
  const next = uniform(rows);
  const high = normals(rows, 1, 10);
  return Float32Array.from({ length: 4 * rows }, (_, i) => {
    const row = Math.floor(i / 4);
    return [high[row], 1 + 500 * next(), -900 * next(), high[row] - 20 * next()][i % 4];
  });
}

// Broken on purpose once: log₂, the sum not divided by S, the maximum left out of lse. Each fails below.
describe("headFinish()", () => {
  for (const rows of [1, 37, 131]) {
    for (const size of [32, 64]) {
      it(`finishes ${rows} rows with ${size} lanes`, async () => {
        const state = states(rows);
        const empty = () => new Float32Array(rows);
        const inputs = { state, logprob: empty(), entropy: empty(), lse: empty() };
        const kernel = headFinish.with({ WORKGROUP_SIZE: size });
        const got = await runKernel(kernel, inputs, { rows });
        const of = (f: (max: number, sum: number, weighted: number, hit: number) => number) =>
          Array.from({ length: rows }, (_, m) => {
            const [max, sum, weighted, hit] = state.subarray(4 * m, 4 * m + 4);
            return f(max, sum, weighted, hit);
          });
        const tolerance = { rtol: 1e-5, atol: 1e-5 };
        const lse = of((max, sum) => max + Math.log(sum));
        const logprob = of((max, sum, _, hit) => hit - max - Math.log(sum));
        const entropy = of((_, sum, weighted) => Math.log(sum) - weighted / sum);
        expectClose("lse", got.lse, lse, tolerance);
        expectClose("logprob", got.logprob, logprob, tolerance);
        expectClose("entropy", got.entropy, entropy, tolerance);
        expect(await runKernel(oneWorkgroup(kernel), inputs, { rows })).toEqual(got);
      });
    }
  }

  it("never gives a negative entropy", async () => {
    // ln 1.0000001 is less than what rounding left in the third sum.
    const state = Float32Array.of(5, 1.0000001, 2e-7, 5);
    const one = () => new Float32Array(1);
    const got = await runKernel(
      headFinish,
      { state, logprob: one(), entropy: one(), lse: one() },
      { rows: 1 },
    );
    expect(got.entropy[0]).toBe(0);
  });
});
