import { describe, expect, it } from "vitest";
import { referenceKl } from "../../../src/kernels/loss/reference_kl.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";
import { referenceKlReference } from "../../reference/losses.ts";
import { column, type GpuLossCase, poison, RAGGED, randomCase } from "./loss_case.ts";

const run = (c: GpuLossCase, beta: number, corrected: boolean, lanes = 64, before?: Float32Array) =>
  runKernel(
    referenceKl.with({ WORKGROUP_SIZE: lanes }),
    {
      logprob: c.logprob,
      old_logprob: c.old,
      ref_logprob: c.ref,
      weight: c.weight,
      grad: before ?? new Float32Array(c.logprob.length),
      stats: new Float32Array(4 * c.logprob.length).fill(1),
      kl: new Float32Array(c.logprob.length),
    },
    { tokens: c.logprob.length, beta, corrected: corrected ? 1 : 0 },
  );

// Broken on purpose once: sign of d, correction without the gradient of k3, overwriting instead of adding.
// Each fails below.
describe("referenceKl()", () => {
  for (const corrected of [false, true]) {
    it(`adds β·k3 and its gradient${corrected ? ", corrected by the ratio" : ""}`, async () => {
      const c = randomCase(RAGGED, 71);
      const before = normals(573, 73, 1e-3);
      const { kl, slope } = referenceKlReference(c, corrected);
      const got = await run(c, 0.04, corrected, corrected ? 32 : 256, before);
      // d is a rounded difference of two f32 numbers up to 4: 5e-7 absolute, which k3 ≈ d²/2 carries as 5e-7·d.
      expectClose("kl", got.kl, kl, { rtol: 1e-5, atol: 5e-7 });
      const want = slope.map((x, m) => before[m] + c.weight[m] * 0.04 * x);
      expectClose("grad", got.grad, want, { rtol: 1e-5, atol: 1e-9 });
      const terms = kl.map((x, m) => 1 + c.weight[m] * 0.04 * x);
      expectClose("terms", column(got.stats, 0), terms, { rtol: 1e-6 });
      expect([...column(got.stats, 1)].every((x) => x === 1)).toBe(true);
    });
  }

  it("keeps its digits where the closed form cancels", async () => {
    const c = randomCase([8], 79);
    const gaps = [0, 1e-3, -1e-3, 2 ** -7, 0.2499, -0.2499, 0.2501, -0.2501];
    const close = {
      ...c,
      logprob: new Float32Array(8).fill(-0.5),
      ref: Float32Array.from(gaps, (d) => -0.5 + d),
    };
    const got = await run(close, 1, false);
    expectClose("kl", got.kl, referenceKlReference(close, false).kl, { rtol: 1e-5 });
  });

  it("leaves tokens of weight 0 alone, even NaN", async () => {
    const c = poison(randomCase(RAGGED, 83));
    const got = await run(c, 0.04, true);
    for (let m = 5; m < 573; m += 11) expect([got.kl[m], got.grad[m], got.stats[4 * m]]).toEqual([0, 0, 1]);
    expect(got.grad.every(Number.isFinite)).toBe(true);
  });
});
