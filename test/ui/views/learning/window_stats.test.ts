import { describe, expect, it } from "vitest";
import {
  bestMean,
  mean,
  median,
  peak,
  shareAbove,
  total,
} from "../../../../src/ui/views/learning/window_stats.ts";

const column = (...values: number[]) => Float64Array.from(values);
const gap = Number.NaN;

describe("numbers over a stretch", () => {
  it("leave out what was not measured", () => {
    const values = column(4, gap, 2, 9);
    expect(mean(values)).toBe(5);
    expect(total(values)).toBe(15);
    expect(median(values)).toBe(4);
    expect(shareAbove(values, 3)).toBeCloseTo(2 / 3, 12);
    expect(peak(values)).toEqual({ value: 9, index: 3 });
  });

  it("are NaN where nothing was measured", () => {
    for (const reduce of [mean, median, (values: Float64Array) => shareAbove(values, 0)])
      expect(reduce(column(gap))).toBeNaN();
    expect(total(column(gap))).toBe(0);
    expect(peak(column(gap))).toBeNull();
  });
});

describe("bestMean()", () => {
  it("finds the best stretch before the ones left out", () => {
    expect(bestMean(column(0, 2, 4, 0, 9, 9), 2, 2)).toBe(3);
    expect(bestMean(column(0, 2, 4, 0, 9, 9), 2, 0)).toBe(9);
    expect(bestMean(column(0, gap, 4, 1), 2, 0)).toBe(4);
  });

  it("is NaN where no stretch is whole", () => {
    expect(bestMean(column(1, 2, 3), 2, 2)).toBeNaN();
  });
});
