import { describe, expect, it } from "vitest";
import { importanceWeight } from "../../../src/kernels/loss/importance_weight.ts";
import { IMPORTANCE_MODES } from "../../../src/trainer/losses/policy_loss.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { importanceReference } from "../../reference/losses.ts";
import { type GpuLossCase, poison, RAGGED, randomCase } from "./loss_case.ts";

const run = (c: GpuLossCase, mode: number, low: number, high: number, lanes = 64) => {
  const tokens = c.logprob.length;
  return runKernel(
    importanceWeight.with({ WORKGROUP_SIZE: lanes }),
    {
      offsets: c.offsets,
      old_logprob: c.old,
      sampler_logprob: c.sampler,
      weight: c.weight,
      importance: new Float32Array(tokens),
      scaled_weight: new Float32Array(tokens),
    },
    { sequences: c.offsets.length - 1, tokens, mode, low, high },
  );
};

// Broken on purpose once: mean instead of sum in mode 2, clamp instead of mask in mode 3, weight left out.
// Each fails below.
describe("importanceWeight()", () => {
  IMPORTANCE_MODES.forEach((mode, index) => {
    for (const lanes of [32, 256]) {
      it(`matches the twin: ${mode}, ${lanes} lanes`, async () => {
        const c = poison(randomCase(RAGGED, 97));
        const [low, high] = mode === "geometric_mask" ? [0.99, 1.004] : [0.95, 1.06];
        const want = importanceReference(c, mode, low, high);
        const got = await run(c, index, low, high, lanes);
        // The sum of up to 300 log ratios is rounded before exp: 1e-5 relative.
        expectClose("importance", got.importance, want, { rtol: 1e-5 });
        const scaled = want.map((r, m) => (c.weight[m] === 0 ? 0 : r * c.weight[m]));
        expectClose("scaled_weight", got.scaled_weight, scaled, { rtol: 1e-5 });
        expect(new Set(want).size).toBeGreaterThan(3);
      });
    }
  });
});
