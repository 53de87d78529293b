import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decades,
  fromZero,
  fromZeroWithoutSpikes,
  roundUp,
  unitAndBeyond,
  upToLimit,
  xRange,
} from "../../../../src/ui/views/learning/ranges.ts";

const column = (...values: number[]) => Float64Array.from(values);

describe("roundUp()", () => {
  it("gives the next round number", () => {
    expect([0.264, 1, 1.01, 1.6, 36, 0.9999, 7].map(roundUp)).toEqual([0.3, 1, 1.5, 2, 40, 1, 8]);
    expect([0, -3, Number.NaN, Number.POSITIVE_INFINITY].map(roundUp)).toEqual([1, 1, 1, 1]);
  });

  it("is never below the value, never twice as much, and stays where it is", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (value) => {
        const round = roundUp(value);
        expect(round).toBeGreaterThanOrEqual(value * (1 - 1e-9));
        expect(round).toBeLessThanOrEqual(value * 1.51);
        expect(roundUp(round)).toBe(round);
      }),
    );
  });
});

describe("ranges of y", () => {
  it("pass over what was not measured", () => {
    expect(fromZero([column(Number.NaN, 0.26)], 0.01)).toEqual([0, 0.3]);
    expect(fromZero([column(Number.NaN)], 0.1)).toEqual([0, 0.1]);
    expect(fromZero([], 10)).toEqual([0, 10]);
  });

  it("let a lone spike leave the chart", () => {
    const norms = column(...Array<number>(40).fill(0.3), 900);
    expect(fromZeroWithoutSpikes([norms], 0.01)).toEqual([0, 3]);
    expect(fromZeroWithoutSpikes([column(0.3, 0.5, 0.4)], 0.01)).toEqual([0, 0.5]);
  });

  it("find the usual value among many as well", () => {
    const norms = Float64Array.from({ length: 9_999 }, (_, index) => (index % 10 === 5 ? 1e6 : 1));
    expect(fromZeroWithoutSpikes([norms], 0.01)).toEqual([0, 8]);
  });

  it("show a limit that is near", () => {
    expect(upToLimit([0, 20], 24)[1]).toBeCloseTo(27.6, 9);
    expect(upToLimit([0, 20], 8192)).toEqual([0, 20]);
    expect(upToLimit([0, 20], 5)).toEqual([0, 20]);
    expect(upToLimit([0, 20], null)).toEqual([0, 20]);
  });

  it("keep scores between 0 and 1 unless they go further", () => {
    expect(unitAndBeyond([column(0.2, 0.9)])).toEqual([0, 1]);
    expect(unitAndBeyond([column(-0.3, 1.2)])).toEqual([-0.3, 1.5]);
  });

  it("cover whole decades above the floor", () => {
    expect(decades([column(3e-14, 0.004)], 1e-6)).toEqual([1e-6, 0.01]);
    expect(decades([column(0.01)], 1e-6)).toEqual([1e-6, 0.01]);
    expect(decades([], 1e-6)[1]).toBeCloseTo(1e-3, 12);
  });
});

describe("xRange()", () => {
  const running = { ended: false, plannedSteps: 30 };

  it("shows a short run's whole length from the start, in which nothing moves", () => {
    for (const reached of [0, 1, 17, 30]) expect(xRange("step", reached, running)).toEqual([0, 30]);
  });

  it("grows in few round steps for a long run, never past its end", () => {
    const ends = new Set<number>();
    for (let step = 1; step <= 10_000; step++) {
      const [, end] = xRange("step", step, { ended: false, plannedSteps: 10_000 });
      expect(end).toBeGreaterThanOrEqual(step);
      ends.add(end);
    }
    expect(Math.min(...ends)).toBe(60);
    expect(Math.max(...ends)).toBe(10_000);
    expect(ends.size).toBeLessThan(25);
  });

  it("ends with a run that has ended, and goes on beyond a plan that was exceeded", () => {
    expect(xRange("step", 12, { ended: true, plannedSteps: 30 })).toEqual([0, 12]);
    expect(xRange("step", 40, running)).toEqual([0, 40]);
    expect(xRange("step", 7, { ended: false, plannedSteps: null })[1]).toBe(10);
  });

  it("leaves room for time and tokens", () => {
    expect(xRange("time", 0, running)).toEqual([0, 30]);
    expect(xRange("time", 100, running)).toEqual([0, 150]);
    expect(xRange("tokens", 9_000, running)).toEqual([0, 10_000]);
  });
});
