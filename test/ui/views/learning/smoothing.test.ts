import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smooth } from "../../../../src/ui/views/learning/smoothing.ts";

const column = (...values: number[]) => Float64Array.from(values);

describe("smooth()", () => {
  it("leaves the first value and weighs later ones as worked out by hand", () => {
    // s₁ = 0.5·1 = 0.5, / 0.5 → 1; s₂ = 0.25 + 0.5·3 = 1.75, / 0.75 → 7/3; s₃ = 0.875 + 0.5·0 = 0.875, / 0.875 → 1.
    const [first, second, third] = smooth(column(1, 3, 0), 0.5);
    expect(first).toBeCloseTo(1, 12);
    expect(second).toBeCloseTo(7 / 3, 12);
    expect(third).toBeCloseTo(1, 12);
  });

  it("leaves everything at a weight of 0", () => {
    expect(smooth(column(1, 5, 2), 0)).toEqual(column(1, 5, 2));
  });

  it("keeps a constant from the first value on, at any weight", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: -1e3, max: 1e3, noNaN: true }),
        (weight, value) => {
          for (const smoothed of smooth(new Float64Array(20).fill(value), weight))
            expect(Math.abs(smoothed - value)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(value)));
        },
      ),
    );
  });

  it("passes over what was not measured", () => {
    const smoothed = smooth(column(2, Number.NaN, 4), 0.5);
    expect(smoothed[1]).toBeNaN();
    expect(smoothed[2]).toBeCloseTo(smooth(column(2, 4), 0.5)[1], 12);
  });
});
