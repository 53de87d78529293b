import { describe, expect, it } from "vitest";
import {
  compact,
  formatDuration,
  formatTick,
  formatValue,
  formatX,
  xSteps,
} from "../../../../src/ui/views/learning/format.ts";

describe("formatValue()", () => {
  it("writes each kind in its own way", () => {
    expect(formatValue(0.94657, "score")).toBe("0.947");
    expect(formatValue(0.815, "share")).toBe("81.5\u2009%");
    expect(formatValue(15.703, "length")).toBe("15.7");
    expect(formatValue(2048.4, "length")).toBe("2,048");
    expect(formatValue(1430.5, "rate")).toBe("1,431");
    expect(formatValue(4.64e-5, "scientific")).toBe("4.6·10⁻⁵");
    expect([0, 2.63, 26.3].map((value) => formatValue(value, "scientific"))).toEqual(["0", "2.6", "2.6·10¹"]);
    expect(formatValue(0.5625, "age")).toBe("0.56");
    expect([0.2668, 4.126, 38.26, 1234.5, 2.5e7].map((norm) => formatValue(norm, "norm"))).toEqual([
      "0.267",
      "4.13",
      "38.3",
      "1,235",
      "2.5·10⁷",
    ]);
  });

  it("writes a dash for what was not measured", () => {
    expect(formatValue(Number.NaN, "score")).toBe("–");
  });
});

describe("ticks", () => {
  it("are short", () => {
    expect(formatTick(0.25, "share")).toBe("25\u2009%");
    expect(formatTick(0.1, "scientific")).toBe("10⁻¹");
    expect(formatTick(1e-12, "scientific")).toBe("10⁻¹²");
    expect(formatTick(2e-3, "scientific")).toBe("");
    expect([0, 950, 1500, 2e7, 0.05].map(compact)).toEqual(["0", "950", "1.5k", "20M", "0.05"]);
  });

  it("say what is counted on the first one", () => {
    expect(formatX("step", 0, true)).toBe("step 0");
    expect(formatX("tokens", 0, true)).toBe("0 tokens");
    expect(formatX("tokens", 50_000)).toBe("50k");
    expect(formatX("time", 90)).toBe("1 min 30 s");
  });

  it("write times as clocks do", () => {
    expect([0, 45.2, 60, 125, 3600, 4200, 7260].map(formatDuration)).toEqual([
      "0\u2009s",
      "45\u2009s",
      "1 min",
      "2 min 05 s",
      "1 h",
      "1 h 10 min",
      "2 h 01 min",
    ]);
  });

  it("stand at whole steps", () => {
    expect(Math.min(...xSteps("step"))).toBe(1);
    expect(xSteps("time")).toContain(60);
    expect(xSteps("step").every((step, index, all) => index === 0 || step > all[index - 1])).toBe(true);
  });
});
