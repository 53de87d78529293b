import { describe, expect, it } from "vitest";
import { sequenceSurrogate } from "../../../src/kernels/loss/sequence_surrogate.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { sequenceSurrogateReference } from "../../reference/losses.ts";
import { column, type GpuLossCase, poison, RAGGED, randomCase } from "./loss_case.ts";

const run = (c: GpuLossCase, scaled: Float32Array, low: number, high: number, lanes = 64) => {
  const sequences = c.offsets.length - 1;
  const tokens = c.logprob.length;
  const logRatio = c.logprob.map((x, m) => (c.weight[m] === 0 ? 0 : x - c.old[m]));
  const ratio = new Float32Array(2 * sequences);
  for (let b = 0; b < sequences; b++) {
    let [sum, count] = [0, 0];
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (c.weight[m] === 0) continue;
      sum += c.logprob[m] - c.old[m];
      count++;
    }
    ratio.set([sum / Math.max(1, count), count], 2 * b);
  }
  return runKernel(
    sequenceSurrogate.with({ WORKGROUP_SIZE: lanes }),
    {
      offsets: c.offsets,
      log_ratio: logRatio,
      ratio,
      advantage: c.advantage,
      weight: c.weight,
      scaled_weight: scaled,
      grad: new Float32Array(tokens),
      stats: new Float32Array(4 * tokens),
    },
    { sequences, tokens, clip_low: low, clip_high: high },
  );
};

// Broken on purpose once: slope not divided by the count, the other side of the minimum, weight without importance.
// Each fails below.
describe("sequenceSurrogate()", () => {
  for (const [low, high, lanes] of [
    [0.8, 1.28, 64],
    [0.99, 1.01, 32],
    [0.99, 1.01, 256],
  ]) {
    it(`matches the twin at clip [${low}, ${high}] with ${lanes} lanes`, async () => {
      const c = randomCase(RAGGED, 53);
      const want = sequenceSurrogateReference(c, low, high);
      const got = await run(c, c.weight, low, high, lanes);
      expectClose("grad", got.grad, want.grad, { rtol: 1e-5, atol: 1e-9 });
      expectClose("terms", column(got.stats, 0), want.terms, { rtol: 1e-5 });
      expectClose("ratio", column(got.stats, 1), want.ratio, { rtol: 1e-5 });
      expect([...column(got.stats, 2)]).toEqual([...want.clipped]);
      const again = await run(c, c.weight, low, high, lanes);
      expect(again.grad).toEqual(got.grad);
    });
  }

  it("carries the gradient of advantages that differ by token, and of scaled weights, some of them 0", async () => {
    const c = { ...randomCase(RAGGED, 59), advantage: normals(573, 61) };
    const scaled = c.weight.map((w, m) => w * (m % 5 === 2 ? 0 : 1 + Math.sin(m)));
    const want = sequenceSurrogateReference({ ...c, weight: scaled }, 0.95, 1.05, c.weight);
    const got = await run(c, scaled, 0.95, 1.05);
    // Sums of terms of both signs: relative to the largest.
    expectClose("grad", got.grad, want.grad, { atol: 1e-5 * largest(want.grad) });
    expectClose("terms", column(got.stats, 0), want.terms, { rtol: 1e-5 });
  });

  it("gives exactly 0 for tokens of weight 0, even from NaN, and the rest what they had without them", async () => {
    const c = poison(randomCase(RAGGED, 67));
    const got = await run(c, c.weight, 0.95, 1.05);
    const want = sequenceSurrogateReference(c, 0.95, 1.05);
    expectClose("grad", got.grad, want.grad, { rtol: 1e-5, atol: 1e-9 });
    expect(got.grad.every((slope, m) => c.weight[m] !== 0 || slope === 0)).toBe(true);
  });
});
