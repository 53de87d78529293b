import { describe, expect, it } from "vitest";
import { labelRows } from "../../../src/ui/parts/chart_draw.ts";

describe("labelRows()", () => {
  it("keeps labels in one row while they have room", () => {
    const labels = [
      { x: 0, width: 40 },
      { x: 60, width: 40 },
    ];
    expect(labelRows(labels, 8)).toEqual([0, 0]);
  });

  it("puts one down that would run into its neighbour, and fills the first row again afterwards", () => {
    const labels = [
      { x: 0, width: 40 },
      { x: 30, width: 40 },
      { x: 44, width: 10 },
      { x: 50, width: 10 },
    ];
    expect(labelRows(labels, 8)).toEqual([0, 1, 2, 0]);
  });
});
