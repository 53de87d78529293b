import { describe, expect, it } from "vitest";
import { sequenceRatio } from "../../../src/kernels/loss/sequence_ratio.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { type GpuLossCase, poison, RAGGED, randomCase } from "./loss_case.ts";

const run = (c: GpuLossCase, lanes: number) => {
  const sequences = c.offsets.length - 1;
  const tokens = c.logprob.length;
  return runKernel(
    sequenceRatio.with({ WORKGROUP_SIZE: lanes }),
    {
      offsets: c.offsets,
      logprob: c.logprob,
      old_logprob: c.old,
      weight: c.weight,
      log_ratio: new Float32Array(tokens),
      ratio: new Float32Array(2 * sequences),
    },
    { sequences, tokens },
  );
};

/** (B, 2) mean log ratio and count, plainly. */
function means(c: GpuLossCase): Float64Array {
  const want = new Float64Array(2 * (c.offsets.length - 1));
  for (let b = 0; b + 1 < c.offsets.length; b++) {
    for (let m = c.offsets[b]; m < c.offsets[b + 1]; m++) {
      if (c.weight[m] === 0) continue;
      want[2 * b] += c.logprob[m] - c.old[m];
      want[2 * b + 1]++;
    }
    if (want[2 * b + 1] > 0) want[2 * b] /= want[2 * b + 1];
  }
  return want;
}

// Broken on purpose once: sum instead of mean, the previous sequence's start, tokens of weight 0 counted.
// Each fails below.
describe("sequenceRatio()", () => {
  for (const lanes of [32, 64, 256]) {
    it(`averages log ratios by sequence with ${lanes} lanes`, async () => {
      const c = randomCase(RAGGED, 41);
      const got = await run(c, lanes);
      expectClose("ratio", got.ratio, means(c), { atol: 1e-6, shape: [RAGGED.length, 2] });
      const again = await run(c, lanes);
      expect(again.ratio).toEqual(got.ratio);
    });
  }

  it("leaves tokens of weight 0 out, whole sequences too", async () => {
    const c = poison(randomCase(RAGGED, 43));
    c.weight.fill(0, c.offsets[3], c.offsets[4]);
    const got = await run(c, 64);
    expectClose("ratio", got.ratio, means(c), { atol: 1e-6 });
    expect([...got.ratio.slice(6, 8)]).toEqual([0, 0]);
    expect(got.log_ratio.every((x, m) => Number.isFinite(x) && (c.weight[m] !== 0 || x === 0))).toBe(true);
  });
});
