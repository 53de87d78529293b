import { describe, expect, it } from "vitest";
import { clippedSurrogate } from "../../../src/kernels/loss/clipped_surrogate.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { clippedSurrogateReference } from "../../reference/losses.ts";
import { column, type GpuLossCase, poison, RAGGED, randomCase } from "./loss_case.ts";

const run = (c: GpuLossCase, low: number, high: number, cap: number, lanes = 64) =>
  runKernel(
    clippedSurrogate.with({ WORKGROUP_SIZE: lanes }),
    {
      logprob: c.logprob,
      old_logprob: c.old,
      advantage: c.advantage,
      weight: c.weight,
      grad: new Float32Array(c.logprob.length),
      stats: new Float32Array(4 * c.logprob.length),
    },
    { tokens: c.logprob.length, clip_low: low, clip_high: high, ratio_cap: cap },
  );

// Broken on purpose once: bounds swapped, cap left out, gradient without the ratio, flag without the advantage's sign.
// Each fails below.
describe("clippedSurrogate()", () => {
  for (const [low, high, cap, lanes] of [
    [0.8, 1.28, 3e38, 64],
    [0.8, 1.2, 3, 32],
    [0.5, 1.28, 1.2, 256],
  ]) {
    it(`matches the twin at clip [${low}, ${high}], cap ${cap}, ${lanes} lanes`, async () => {
      const c = randomCase(RAGGED, 11);
      const want = clippedSurrogateReference(c, low, high, cap);
      const got = await run(c, low, high, cap, lanes);
      // exp of a difference of two f32 numbers: 1e-5 relative.
      expectClose("grad", got.grad, want.grad, { rtol: 1e-5 });
      expectClose("terms", column(got.stats, 0), want.terms, { rtol: 1e-5 });
      expectClose("ratio", column(got.stats, 1), want.ratio, { rtol: 1e-5 });
      expect([...column(got.stats, 2)]).toEqual([...want.clipped]);
      expect(want.clipped.filter((sign) => sign !== 0).length).toBeGreaterThan(10);
      expect(want.grad.filter((slope) => slope === 0).length).toBeGreaterThan(20);
    });
  }

  it("strides over more tokens than one grid of workgroups reaches", async () => {
    const c = randomCase([9], 5);
    const tokens = 65535 * 2 + 77;
    const tile = (values: Float32Array) => Float32Array.from({ length: tokens }, (_, m) => values[m % 9]);
    const large = {
      ...c,
      logprob: tile(c.logprob),
      old: tile(c.old),
      advantage: tile(c.advantage),
      weight: tile(c.weight),
    };
    const got = await run(large, 0.8, 1.28, 3e38, 1);
    const want = clippedSurrogateReference(c, 0.8, 1.28, 3e38);
    for (const m of [0, 65535, 131069, tokens - 1]) {
      expect(Math.abs(got.grad[m] - want.grad[m % 9])).toBeLessThanOrEqual(1e-5 * Math.abs(want.grad[m % 9]));
    }
  });

  it("gives exactly 0 for tokens of weight 0, even from NaN", async () => {
    const c = randomCase(RAGGED, 23);
    const clean = await run(c, 0.8, 1.28, 3e38);
    const got = await run(poison(c), 0.8, 1.28, 3e38);
    got.grad.forEach((slope, m) => {
      expect(slope).toBe(m % 11 === 5 ? 0 : clean.grad[m]);
    });
    expect(
      [...column(got.stats, 0)].every((term, m) => term === (m % 11 === 5 ? 0 : clean.stats[4 * m])),
    ).toBe(true);
  });

  it("stays finite when probabilities are a world apart", async () => {
    const c = randomCase([4], 3);
    const got = await run(
      {
        ...c,
        logprob: Float32Array.of(-1, -200, -0.1, -90),
        old: Float32Array.of(-300, -1, -1000, -0.5),
        advantage: Float32Array.of(1, 1, -1, -1),
      },
      0.8,
      1.28,
      3e38,
    );
    expect([...got.grad, ...got.stats].every(Number.isFinite)).toBe(true);
    expect(got.grad[0]).toBe(0);
    expect(got.grad[2]).toBeGreaterThan(1e6);
  });
});
