import { describe, expect, it } from "vitest";
import { pathOf, scaleOf, sparklinePoints, thinned } from "../../../src/ui/parts/sparkline.ts";

const box = { width: 100, height: 60, inset: 5 };

describe("sparklinePoints()", () => {
  it("spans the whole width by the length, not by what is known so far", () => {
    const points = sparklinePoints([0, 1], scaleOf([0, 1], 5), box);
    expect(points).toEqual([
      { x: 0, y: 55 },
      { x: 25, y: 5 },
    ]);
  });

  it("leaves out what was not measured", () => {
    expect(
      sparklinePoints([null, 0.5, null, 0.5], scaleOf([], 4), box).map(({ x }) => Math.round(x)),
    ).toEqual([33, 100]);
  });

  it("keeps a scale of 0 to 1 for shares and widens it for others", () => {
    expect(scaleOf([0.2, 0.4], 2)).toMatchObject({ low: 0, high: 1 });
    expect(scaleOf([-2, 3], 2)).toMatchObject({ low: -2, high: 3 });
  });
});

describe("pathOf()", () => {
  it("draws one line", () => {
    expect(pathOf([])).toBe("");
    expect(
      pathOf([
        { x: 0, y: 1 },
        { x: 2.25, y: 3 },
      ]),
    ).toBe("M0.0 1.0L2.3 3.0");
  });
});

describe("thinned()", () => {
  it("keeps few points as they are", () => {
    expect(thinned([1, 2, 3], 3)).toEqual([1, 2, 3]);
  });

  it("keeps no more than asked for, and the newest always", () => {
    const points = Array.from({ length: 10_001 }, (_, i) => i);
    const kept = thinned(points, 320);
    expect(kept.length).toBeLessThanOrEqual(322);
    expect(kept.at(-1)).toBe(10_000);
    expect(kept[0]).toBe(0);
  });
});
