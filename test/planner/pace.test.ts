import { describe, expect, it } from "vitest";
import { linearVec4 } from "../../src/kernels/linear/linear_vec4.ts";
import { rmsNorm } from "../../src/kernels/norm/rms_norm.ts";
import { type Pace, phaseSeconds, secondsOf, type Timed, workOf } from "../../src/planner/pace.ts";
import type { Job } from "../../src/planner/work.ts";

const job = (kernel: unknown, key: string, flops: number, bytes = 0, count = 1): Job => ({
  kernel: kernel as Job["kernel"],
  dims: {},
  grid: [1, 1, 1],
  contents: [],
  key,
  flops,
  bytes,
  count,
});
const timed = (kernel: { key: string }, key: string, flops: number, seconds: number): Timed => ({
  kernel: kernel.key,
  key,
  flops,
  bytes: 0,
  seconds,
});
const pace = (...all: Timed[]): Pace => ({
  dispatch: 0.001,
  roundTrip: 0.01,
  rate: 1e9,
  compile: 0.1,
  timed: all,
});

describe("secondsOf()", () => {
  it("takes what was measured as it was measured", () => {
    expect(secondsOf(job(linearVec4, "a", 1e6), pace(timed(linearVec4, "a", 1e6, 0.123)))).toBe(0.123);
  });

  it("scales the nearest size of the same kernel, beyond what a dispatch costs whatever it does", () => {
    const known = pace(timed(linearVec4, "small", 1e6, 0.002), timed(linearVec4, "large", 1e9, 0.101));
    expect(secondsOf(job(linearVec4, "larger", 2e9), known)).toBeCloseTo(0.001 + 0.2, 12);
    expect(secondsOf(job(linearVec4, "smaller", 5e5), known)).toBeCloseTo(0.001 + 0.0005, 12);
    expect(secondsOf(job(linearVec4, "tiny", 0), known)).toBeCloseTo(0.001, 12);
  });

  it("takes a kernel that was not tried to work as fast as all that were", () => {
    const known = pace(timed(linearVec4, "a", 1e6, 0.002), timed(linearVec4, "b", 3e6, 0.008));
    expect(secondsOf(job(rmsNorm, "c", 4e6), known)).toBeCloseTo(0.001 + 0.008, 12);
    // Faster than a dispatch without work: nothing is won by it.
    expect(secondsOf(job(rmsNorm, "c", 4e6), pace(timed(linearVec4, "a", 1e6, 0.0005)))).toBe(0.001);
  });

  it("falls back to the rate of matrix products", () => {
    expect(secondsOf(job(rmsNorm, "c", 1e9), pace())).toBeCloseTo(1.001, 12);
  });
});

describe("workOf()", () => {
  it("is arithmetic or memory, whichever is more", () => {
    expect(workOf({ flops: 100, bytes: 1 })).toBe(100);
    expect(workOf({ flops: 7, bytes: 1 })).toBe(8);
  });
});

describe("phaseSeconds()", () => {
  it("adds dispatches and ways to the GPU, each as often as they come", () => {
    const known = pace(timed(linearVec4, "a", 1e6, 0.002), timed(rmsNorm, "b", 1e5, 0.003));
    const step = {
      name: "decode step" as const,
      jobs: [job(linearVec4, "a", 1e6, 0, 4), job(rmsNorm, "b", 1e5, 0, 2)],
      times: 10,
      returns: 0.25,
    };
    const update = { name: "optimiser step" as const, jobs: [], times: 2, returns: 1 };
    expect(phaseSeconds([step, update], known)).toBeCloseTo(10 * (0.008 + 0.006 + 0.0025) + 0.02, 12);
  });
});
