import { describe, expect, it } from "vitest";
import type { BufferView } from "../../../src/gpu/buffer.ts";
import { Recorder } from "../../../src/gpu/recorder.ts";
import { LossPass, lossMetrics } from "../../../src/trainer/losses/loss_pass.ts";
import type { LossName, LossSettings } from "../../../src/trainer/losses/policy_loss.ts";
import { lossSettings, POLICY_LOSSES, policyLoss } from "../../../src/trainer/losses/registry.ts";
import { type LossTotals, totalLoss } from "../../../src/trainer/losses/totals.ts";
import { expectClose, largest, testGpu } from "../../gpu_harness.ts";
import { type LossCase, lossReference } from "../../reference/losses.ts";
import {
  NEMO_ROWS,
  PUBLISHED,
  publishedCase,
  SEQUENCE_ADVANTAGES,
  TRL_ROWS,
} from "../../trainer/published_losses.ts";
import { RAGGED, randomCase } from "./loss_case.ts";

/** Runs the parts as micro-batches of one minibatch; gradients come back part by part. */
async function runParts(
  name: LossName,
  settings: LossSettings,
  parts: LossCase[],
): Promise<{ grads: Float32Array[]; totals: LossTotals }> {
  const gpu = await testGpu();
  const loss = policyLoss(name);
  const most = (of: (part: LossCase) => number) => Math.max(...parts.map(of));
  const sequences = parts.reduce((sum, part) => sum + part.offsets.length - 1, 0);
  using pass = new LossPass(gpu, loss, settings, {
    tokens: most((part) => part.logprob.length),
    sequences: most((part) => part.offsets.length - 1),
    minibatchSequences: sequences,
  });
  await gpu.compile(pass.kernels);
  const recorder = new Recorder(gpu, "loss");
  const grads: Float32Array[] = [];
  let firstSequence = 0;
  for (const part of parts) {
    const tokens = part.logprob.length;
    const floats = (values: ArrayLike<number>): BufferView =>
      gpu.bufferFrom("input", Float32Array.from(values));
    const inputs = {
      offsets: gpu.bufferFrom("offsets", Uint32Array.from(part.offsets)),
      logprob: floats(part.logprob),
      oldLogprob: floats(part.old),
      samplerLogprob: floats(part.sampler ?? []),
      refLogprob: floats(part.ref ?? []),
      advantage: floats(part.advantage),
      weight: floats(part.weight),
      entropy: floats(Array(tokens).fill(0.5)),
    };
    pass.encode(recorder, inputs, { tokens, sequences: part.offsets.length - 1, firstSequence });
    recorder.submit();
    grads.push(await pass.grad.readFloats(0, tokens));
    firstSequence += part.offsets.length - 1;
  }
  return { grads, totals: totalLoss(await pass.summary.readFloats(), sequences) };
}

describe("LossPass", () => {
  it("reproduces every published row in f32", async () => {
    for (const { row, name, advantage, rule, changes, inputs, loss, grad } of [...NEMO_ROWS, ...TRL_ROWS]) {
      const c = { ...publishedCase(advantage, rule), ...inputs };
      const got = await runParts(name, lossSettings(policyLoss(name), { ...PUBLISHED, ...changes }), [c]);
      // A handful of f32 terms below 1 in size: 1e-6 absolute.
      expect(Math.abs(got.totals.loss - loss), row).toBeLessThan(1e-6);
      if (grad) expectClose(row, got.grads[0], grad, { rtol: 1e-5, atol: 1e-7 });
    }
  });

  it("reports TRL's clip metrics, by token and by sequence", async () => {
    const metrics = async (name: LossName, changes: Partial<LossSettings> = {}) => {
      const settings = lossSettings(policyLoss(name), { ...PUBLISHED, ...changes });
      const { totals } = await runParts(name, settings, [publishedCase(SEQUENCE_ADVANTAGES, "token_mean")]);
      return lossMetrics(policyLoss(name), settings, totals);
    };
    const token = await metrics("dapo", {
      klBeta: 0.04,
      klBiasCorrection: true,
      importance: { mode: "token_truncate", low: 0, high: 10 },
    });
    const expected: Record<string, number> = {
      "clip_ratio/low_mean": 0.2,
      "clip_ratio/high_mean": 0.2,
      "clip_ratio/region_mean": 0.4,
      "clip_ratio/low_min": 0,
      "clip_ratio/high_max": 1 / 3,
      ratio: 0.90624229,
      "ratio/min": 0.54881164,
      "ratio/max": 1.34985881,
      kl: 0.0898977,
      entropy: 0.5,
      "sampling/importance_sampling_ratio/mean": 1.20152087,
      "sampling/importance_sampling_ratio/max": 1.64872127,
      "sampling/importance_sampling_ratio/min": 0.74081822,
      "sampling/sampling_logp_difference/mean": 0.36,
      "sampling/sampling_logp_difference/max": 0.6,
      "batch/trained_tokens_per_step": 5,
    };
    for (const [key, value] of Object.entries(expected)) expect(token[key], key).toBeCloseTo(value, 6);
    const sequence = await metrics("gspo", { epsilonLow: 0.09, epsilonHigh: 0.2 });
    // Sequence ratios .819 (A > 0) and .905 (A < 0, below .91): one of two sequences.
    expect(sequence["clip_ratio/low_mean"]).toBe(0.5);
    expect(await metrics("cispo", { ratioCap: 1.2 })).toMatchObject({
      cispo_clip_ratio: expect.closeTo(0.2, 6),
    });
  });

  for (const name of Object.keys(POLICY_LOSSES) as LossName[]) {
    it(`${name}: the gradient does not depend on the split or the order`, async () => {
      const settings = lossSettings(policyLoss(name), {
        epsilonLow: 0.05,
        epsilonHigh: 0.06,
        klBeta: 0.04,
        importance: { mode: "sequence_truncate", low: 0.5, high: 2 },
      });
      const c = randomCase(RAGGED, 7);
      const part = (sequences: number[]): LossCase => {
        const gather = (values: ArrayLike<number>) =>
          sequences.flatMap((b) => Array.from(values).slice(c.offsets[b], c.offsets[b + 1]));
        const offsets = [0];
        for (const b of sequences) offsets.push((offsets.at(-1) as number) + c.offsets[b + 1] - c.offsets[b]);
        return {
          offsets,
          logprob: gather(c.logprob),
          old: gather(c.old),
          sampler: gather(c.sampler),
          ref: gather(c.ref),
          advantage: gather(c.advantage),
          weight: gather(c.weight),
        };
      };
      const whole = await runParts(name, settings, [c]);
      expectClose("grad", whole.grads[0], lossReference(name, settings, c).grad, {
        rtol: 1e-5,
        atol: 1e-6 * largest(whole.grads[0]),
      });
      const order = [[6], [3, 0, 7], [5, 4, 2, 1]];
      const split = await runParts(name, settings, order.map(part));
      order.forEach((sequences, k) => {
        let at = 0;
        for (const b of sequences) {
          const length = c.offsets[b + 1] - c.offsets[b];
          // A sequence is reduced by one workgroup in a fixed order, wherever it lies: the bits agree.
          expect(split.grads[k].slice(at, at + length)).toEqual(
            whole.grads[0].slice(c.offsets[b], c.offsets[b + 1]),
          );
          at += length;
        }
      });
      expect(split.totals.loss).toBeCloseTo(whole.totals.loss, 12);
      expect(split.totals.tokens).toBe(573);
    });
  }

  it("at lag 0 the mismatch is 0 and nothing is clipped", async () => {
    const c = randomCase(RAGGED, 9);
    const settings = lossSettings(policyLoss("magistral"));
    const { totals, grads } = await runParts("magistral", settings, [{ ...c, old: c.logprob }]);
    expect([totals.mismatchKl, totals.clippedLow, totals.clippedHigh, totals.ratioMean]).toEqual([
      0, 0, 0, 1,
    ]);
    expect(grads[0]).toEqual(c.weight.map((w, m) => -w * c.advantage[m]));
  });

  it("says which log-probabilities are missing", async () => {
    const gpu = await testGpu();
    const settings = lossSettings(policyLoss("grpo"));
    using pass = new LossPass(gpu, policyLoss("grpo"), settings, {
      tokens: 2,
      sequences: 1,
      minibatchSequences: 1,
    });
    await gpu.compile(pass.kernels);
    const two = () => gpu.bufferFrom("two", Float32Array.of(-1, -2));
    const inputs = {
      offsets: gpu.bufferFrom("offsets", Uint32Array.of(0, 2)),
      logprob: two(),
      oldLogprob: two(),
      advantage: two(),
      weight: two(),
      entropy: two(),
    };
    const dims = { sequences: 1, tokens: 2, firstSequence: 0 };
    expect(() => pass.encode(new Recorder(gpu, "loss"), inputs, dims)).toThrow(/refLogprob/);
  });
});
