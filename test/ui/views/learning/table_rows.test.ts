import { describe, expect, it } from "vitest";
import { CHARTS } from "../../../../src/ui/views/learning/definitions.ts";
import { chartRows } from "../../../../src/ui/views/learning/table_rows.ts";
import { evaluationOf, tableOf } from "./fixtures.ts";

const [reward, , length] = CHARTS;

describe("chartRows()", () => {
  const run = tableOf(3, { reward: (index) => index / 10, reward_std: 0.2 }, [
    evaluationOf(0, "before", 0.4),
    evaluationOf(3, "after", 0.9),
  ]);

  it("has the newest first, deviations in a column of their own, evaluations beside their step", () => {
    expect(chartRows(reward, run, 10)).toEqual({
      heads: ["reward", "std", "held-out pass@1"],
      rows: [
        { step: 3, cells: ["0.200", "0.200", "0.900"] },
        { step: 2, cells: ["0.100", "0.200", "–"] },
        { step: 1, cells: ["0.000", "0.200", "–"] },
        { step: 0, cells: ["–", "–", "0.400"] },
      ],
      count: 4,
    });
  });

  it("shows no more than it may, and says how many there are", () => {
    const { rows, count } = chartRows(reward, run, 2);
    expect(rows.map(({ step }) => step)).toEqual([3, 2]);
    expect(count).toBe(4);
  });

  it("puts both panels of a chart side by side", () => {
    expect(chartRows(length, run, 10).heads).toEqual(["mean length", "truncated"]);
  });
});
