import { describe, expect, it } from "vitest";
import { chiSquareP, logGamma, upperGamma } from "../../src/conformance/chi_square.ts";

describe("logGamma()", () => {
  it.each([
    [1, 0],
    [2, 0],
    [5, Math.log(24)],
    [0.5, Math.log(Math.sqrt(Math.PI))],
    [11, Math.log(3628800)],
  ])("of %f", (x, want) => {
    expect(Math.abs(logGamma(x) - want)).toBeLessThan(1e-11);
  });
});

describe("upperGamma()", () => {
  it("is exp(−x) for a of 1", () => {
    for (const x of [1e-3, 0.5, 1.9, 2.1, 7, 30]) expect(upperGamma(1, x)).toBeCloseTo(Math.exp(-x), 12);
  });

  // Percentage points of the chi-square distribution as tables print them.
  it.each([
    [1, 10.828, 0.001],
    [1, 3.841, 0.05],
    [5, 20.515, 0.001],
    [10, 18.307, 0.05],
    [100, 149.449, 0.001],
    [100, 77.929, 0.95],
  ])("with %i degrees of freedom has %f at p = %f", (degrees, point, p) => {
    expect(upperGamma(degrees / 2, point / 2) / p).toBeCloseTo(1, 2);
  });
});

describe("chiSquareP()", () => {
  it("is near 1 for counts as expected, tiny for others", () => {
    expect(chiSquareP([500, 300, 200], [0.5, 0.3, 0.2])).toBe(1);
    expect(chiSquareP([530, 290, 180], [0.5, 0.3, 0.2])).toBeCloseTo(
      Math.exp(-(900 / 500 + 100 / 300 + 400 / 200) / 2),
      10,
    );
    expect(chiSquareP([600, 200, 200], [0.5, 0.3, 0.2])).toBeLessThan(1e-10);
  });

  it("takes rare outcomes together and refuses impossible ones", () => {
    const probabilities = [0.99, 0.004, 0.003, 0.003, 0];
    expect(chiSquareP([990, 4, 3, 3, 0], probabilities)).toBeGreaterThan(0.99);
    expect(chiSquareP([960, 14, 13, 13, 0], probabilities)).toBeLessThan(1e-8);
    expect(chiSquareP([989, 4, 3, 3, 1], probabilities)).toBe(0);
    expect(chiSquareP([7, 0], [1, 0])).toBe(1);
    // One rare outcome that happened once says little; alone in a bin it would say everything.
    expect(chiSquareP([500, 499, 1], [0.5, 0.49999, 0.00001])).toBeGreaterThan(0.9);
  });
});
