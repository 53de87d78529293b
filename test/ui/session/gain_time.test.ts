import { describe, expect, it } from "vitest";
import type { Pace } from "../../../src/planner/pace.ts";
import type { Phase, RunWork } from "../../../src/planner/work.ts";
import { gainSeconds, stepsToGain } from "../../../src/ui/session/gain_time.ts";

/** Nothing but ways to the GPU and back: `seconds` of them. */
const phase = (seconds: number): Phase => ({ name: "micro-batch", jobs: [], times: seconds, returns: 100 });
const pace: Pace = { dispatch: 1e-5, roundTrip: 0.01, rate: 1e9, compile: 0.05, timed: [] };
const work: RunWork = {
  batch: [phase(2), phase(0.5)],
  evaluation: [phase(4)],
  start: { pipelines: 60, returns: 40 },
};
const threads = 1.5;
const nothing = { downloadBytes: null };

describe("gainSeconds()", () => {
  it("adds up threads, pipelines and the first evaluation, then the steps", () => {
    const found = gainSeconds({ steps: 30 }, work, pace, nothing);
    expect(found.start).toBeCloseTo(threads + 60 * 0.05 + 40 * 0.01 + 4, 9);
    expect(found.gain).toBeCloseTo(6 * 2.5, 9);
    expect(found.asBefore).toBeUndefined();
  });

  it("does not promise a gain after more steps than the run has", () => {
    expect(stepsToGain({ steps: 2 })).toBe(2);
    expect(gainSeconds({ steps: 2 }, work, pace, nothing).gain).toBeCloseTo(5, 9);
  });

  it("counts the download as part of the start", () => {
    const near = gainSeconds({ steps: 30 }, work, pace, nothing);
    const far = gainSeconds({ steps: 30 }, work, pace, { downloadBytes: 125e6 });
    expect(far.start - near.start).toBeCloseTo(100, 9);
    expect(far.gain).toBe(near.gain);
  });

  it("believes an earlier run's first steps more than its own sum", () => {
    const earlier = (stepSeconds: number[], steps = 30) =>
      gainSeconds({ steps }, work, pace, { downloadBytes: null, stepSeconds });
    expect(earlier([1, 2, 3, 4, 5, 6, 100])).toMatchObject({ gain: 21, asBefore: true });
    expect(earlier([1, 2]).gain, "fewer than are waited for").toBe(9);
    expect(earlier([1, 2, 3], 2).gain).toBe(3);
    expect(earlier([1, 2]).start).toBe(gainSeconds({ steps: 30 }, work, pace, nothing).start);
  });
});
