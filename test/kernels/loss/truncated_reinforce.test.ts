import { describe, expect, it } from "vitest";
import { truncatedReinforce } from "../../../src/kernels/loss/truncated_reinforce.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { truncatedReinforceReference } from "../../reference/losses.ts";
import { column, type GpuLossCase, poison, RAGGED, randomCase } from "./loss_case.ts";

const run = (c: GpuLossCase, low: number, high: number, lanes = 64) =>
  runKernel(
    truncatedReinforce.with({ WORKGROUP_SIZE: lanes }),
    {
      logprob: c.logprob,
      old_logprob: c.old,
      advantage: c.advantage,
      weight: c.weight,
      grad: new Float32Array(c.logprob.length),
      stats: new Float32Array(4 * c.logprob.length),
    },
    { tokens: c.logprob.length, clip_low: low, clip_high: high },
  );

// Broken on purpose once: ratio not clamped, term without logprob, gradient 0 beyond the cap.
// Each fails below.
describe("truncatedReinforce()", () => {
  for (const [low, high, lanes] of [
    [0, 1.28, 64],
    [0.8, 1.2, 32],
    [1, 1, 128],
    [0, 3e38, 256],
  ]) {
    it(`matches the twin with the ratio within [${low}, ${high}], ${lanes} lanes`, async () => {
      const c = randomCase(RAGGED, 31);
      const want = truncatedReinforceReference(c, low, high);
      const got = await run(c, low, high, lanes);
      expectClose("grad", got.grad, want.grad, { rtol: 1e-5 });
      expectClose("terms", column(got.stats, 0), want.terms, { rtol: 1e-5 });
      expectClose("ratio", column(got.stats, 1), want.ratio, { rtol: 1e-5 });
      expect([...column(got.stats, 2)]).toEqual([...want.clipped]);
    });
  }

  it("gives exactly 0 for tokens of weight 0, even from NaN", async () => {
    const c = randomCase(RAGGED, 37);
    const clean = await run(c, 0.8, 2);
    const got = await run(poison(c), 0.8, 2);
    got.grad.forEach((slope, m) => {
      expect(slope).toBe(m % 11 === 5 ? 0 : clean.grad[m]);
    });
  });
});
