import { describe, expect, it } from "vitest";
import { learningRateAt, SCHEDULE_SHAPES, type Schedule } from "../../src/trainer/schedule.ts";

describe("learningRateAt()", () => {
  const base: Schedule = { shape: "constant", peak: 1e-3, warmupSteps: 4, totalSteps: 14, floor: 0.1 };

  it("warms up from the first step on", () => {
    const got = [0, 1, 2, 3, 4].map((step) => learningRateAt(step, base));
    [0.25, 0.5, 0.75, 1, 1].forEach((share, i) => {
      expect(got[i]).toBeCloseTo(share * 1e-3, 12);
    });
    expect(learningRateAt(0, { ...base, warmupSteps: 0 })).toBe(1e-3);
  });

  it("decays linearly or by a cosine to the floor and stays there", () => {
    const linear: Schedule = { ...base, shape: "linear" };
    const cosine: Schedule = { ...base, shape: "cosine" };
    expect(learningRateAt(9, linear)).toBeCloseTo(0.55e-3, 12);
    expect(learningRateAt(9, cosine)).toBeCloseTo(0.55e-3, 12);
    expect(learningRateAt(6, cosine)).toBeCloseTo(1e-3 * (0.1 + (0.9 * (1 + Math.cos(Math.PI / 5))) / 2), 12);
    for (const step of [14, 15, 1000]) {
      expect(learningRateAt(step, linear)).toBeCloseTo(1e-4, 12);
      expect(learningRateAt(step, cosine)).toBeCloseTo(1e-4, 12);
      expect(learningRateAt(step, base)).toBe(1e-3);
    }
  });

  it("never exceeds the peak, never rises after warm-up", () => {
    for (const shape of SCHEDULE_SHAPES) {
      let before = Number.POSITIVE_INFINITY;
      for (let step = 4; step < 20; step++) {
        const rate = learningRateAt(step, { ...base, shape });
        expect(rate).toBeLessThanOrEqual(Math.min(before, 1e-3));
        before = rate;
      }
    }
  });

  it("refuses what makes no schedule", () => {
    expect(() => learningRateAt(-1, base)).toThrow(RangeError);
    expect(() => learningRateAt(0, { ...base, peak: Number.NaN })).toThrow(RangeError);
    expect(() => learningRateAt(0, { ...base, floor: 2 })).toThrow(RangeError);
  });
});
