import { describe, expect, it } from "vitest";
import { CHARTS } from "../../../../src/ui/views/learning/definitions.ts";
import { panelInWords, trendOf } from "../../../../src/ui/views/learning/words.ts";
import { evaluationOf, tableOf } from "./fixtures.ts";

const column = (count: number, value: (index: number) => number) =>
  Float64Array.from({ length: count }, (_, index) => value(index));

describe("trendOf()", () => {
  it("compares the last five steps with the five before", () => {
    expect(trendOf(column(20, (index) => index))).toBe("rising");
    expect(trendOf(column(20, (index) => -index))).toBe("falling");
    expect(trendOf(column(20, () => 0.4))).toBe("steady");
  });

  it("does not call noise a trend", () => {
    expect(trendOf(column(40, (index) => 0.5 + 0.2 * (-1) ** index))).toBe("steady");
    expect(trendOf(column(40, (index) => (index < 25 ? index : 25 + 0.01 * index)))).toBe("steady");
  });

  it("passes over gaps, and says nothing from fewer than ten values", () => {
    expect(trendOf(column(9, (index) => index))).toBeNull();
    expect(trendOf(column(40, (index) => (index % 2 === 0 ? Number.NaN : index)))).toBe("rising");
  });
});

describe("panelInWords()", () => {
  const [reward] = CHARTS;
  const inWords = (...run: Parameters<typeof tableOf>) =>
    panelInWords(reward.title, reward.panels[0], tableOf(...run));

  it("says the newest values and where they are heading", () => {
    expect(
      inWords(20, { reward: (index) => index / 20 }, [
        evaluationOf(0, "before", 0.4),
        evaluationOf(20, "after", 0.91),
      ]),
    ).toBe("Reward, reward, share solved: reward ± std 0.950, rising; held-out pass@1 0.910, at step 20.");
  });

  it("admits what is missing", () => {
    expect(inWords(0)).toBe("Reward: no step yet.");
    expect(inWords(2)).toContain("reward ± std not measured; held-out pass@1 not measured");
  });
});
