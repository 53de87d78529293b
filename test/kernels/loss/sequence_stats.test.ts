import { describe, expect, it } from "vitest";
import { sequenceStats } from "../../../src/kernels/loss/sequence_stats.ts";
import { lossSettings, policyLoss } from "../../../src/trainer/losses/registry.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { lossReference, sequenceStatsReference } from "../../reference/losses.ts";
import { poison, RAGGED, randomCase } from "./loss_case.ts";

// Broken on purpose once: min started at 0, tokens of weight 0 counted, `first` ignored, sums of k3 and kl exchanged.
// Each fails below.
describe("sequenceStats()", () => {
  for (const lanes of [32, 64, 256]) {
    for (const poisoned of [false, true]) {
      it(`reduces every column with ${lanes} lanes${poisoned ? " around poisoned tokens" : ""}`, async () => {
        const clean = randomCase(RAGGED, 101);
        const c = poisoned ? poison(clean) : clean;
        const tokens = c.logprob.length;
        const settings = lossSettings(policyLoss("grpo"), {
          importance: { mode: "token_truncate", low: 0, high: 1.05 },
        });
        const result = lossReference("grpo", settings, c);
        const stats = new Float32Array(4 * tokens);
        for (let m = 0; m < tokens; m++) {
          const kl = c.weight[m] === 0 ? 0 : c.weight[m] * settings.klBeta * result.kl[m];
          stats.set(
            [result.terms[m] + kl, result.ratio[m], result.clipped[m], c.logprob[m] - c.old[m]],
            4 * m,
          );
        }
        const [first, sequences] = [3, RAGGED.length];
        const got = await runKernel(
          sequenceStats.with({ WORKGROUP_SIZE: lanes }),
          {
            offsets: c.offsets,
            weight: c.weight,
            stats,
            kl: Float32Array.from(result.kl),
            importance: Float32Array.from(result.importance ?? []),
            entropy: c.entropy,
            summary: new Float32Array(16 * (first + sequences)).fill(-7),
          },
          { sequences, tokens, first, has_kl: 1, has_importance: 1 },
        );
        const want = sequenceStatsReference(c, result, settings.klBeta, c.entropy);
        // Losses have terms of one sign per sequence but for KL: a little absolute tolerance.
        expectClose("summary", got.summary.subarray(16 * first), want, {
          rtol: 1e-5,
          atol: 1e-7,
          shape: [sequences, 16],
        });
        expect(got.summary.subarray(0, 16 * first).every((x) => x === -7)).toBe(true);
      });
    }
  }
});
