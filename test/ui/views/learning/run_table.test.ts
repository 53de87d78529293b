import { describe, expect, it } from "vitest";
import { lastNotBeyond, nearest, RunTable } from "../../../../src/ui/views/learning/run_table.ts";
import { evaluationOf, stepsOf, tableOf } from "./fixtures.ts";

describe("RunTable", () => {
  it("reads columns with NaN for what is missing or no number", () => {
    const table = tableOf(3, { entropy: (index) => (index === 1 ? null : index) });
    expect([...table.column("entropy")]).toEqual([0, Number.NaN, 2]);
    expect([...table.column("kl")]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(table.newest("entropy")).toBe(2);
    expect(table.newest("kl")).toBeNaN();
  });

  it("counts steps, seconds of training and tokens, never falling", () => {
    const table = tableOf(3, { num_tokens: (index) => [100, null, 300][index] });
    expect([...table.xs("step")]).toEqual([1, 2, 3]);
    expect([...table.xs("time")]).toEqual([2, 4, 6]);
    expect([...table.xs("tokens")]).toEqual([100, 100, 300]);
  });

  it("puts an evaluation where its step ended, and the one before training at the origin", () => {
    const table = tableOf(4, {}, [evaluationOf(4, "after", 0.9), evaluationOf(0, "before", 0.4)]);
    expect([...table.evaluationColumn("pass@1", "time").xs]).toEqual([0, 8]);
    expect([...table.evaluationColumn("pass@1", "tokens").xs]).toEqual([0, 4000]);
    expect([...table.evaluationColumn("pass@1", "step").values]).toEqual([0.4, 0.9]);
    expect([...table.evaluationColumn("maj@8", "step").values]).toEqual([Number.NaN, Number.NaN]);
  });

  it("smooths anew when the weight changes", () => {
    const table = tableOf(3, { reward: (index) => index });
    const half = table.smoothedColumn("reward", 0.5);
    expect(table.smoothedColumn("reward", 0.5)).toBe(half);
    expect(table.smoothedColumn("reward", 0.9)[2]).toBeLessThan(half[2]);
    expect([...table.smoothedColumn("reward", 0)]).toEqual([0, 1, 2]);
  });

  it("goes on from an earlier table without reading its rows again", () => {
    const rows = stepsOf(3, { reward: 1 });
    const before = new RunTable("run", rows, []);
    before.column("reward");
    rows.push(...stepsOf(4, { reward: 2 }).slice(3));
    let reads = 0;
    const first = rows[0];
    Object.defineProperty(first, "reward", { get: () => ++reads });
    const after = new RunTable("run", rows, [], before);
    expect([...after.column("reward")]).toEqual([1, 1, 1, 2]);
    expect(reads).toBe(0);
    expect(before.length).toBe(3);
  });

  it("reads everything again where a run was rewound and went on differently", () => {
    const rows = stepsOf(3, { reward: 1 });
    const before = new RunTable("run", rows, []);
    before.column("reward");
    const rewound = [rows[0], ...stepsOf(4, { reward: 5 }).slice(1)];
    expect([...new RunTable("run", rewound, [], before).column("reward")]).toEqual([1, 5, 5, 5]);
    expect([...new RunTable("run", [rows[0]], [], before).column("reward")]).toEqual([1]);
  });
});

describe("the search along x", () => {
  const xs = [1, 2, 2, 5];

  it("finds the last row not beyond", () => {
    expect([0, 1, 2, 3, 9].map((x) => lastNotBeyond(xs, x))).toEqual([-1, 0, 2, 2, 3]);
  });

  it("finds the nearest row", () => {
    expect([-3, 1.4, 1.6, 3.4, 3.6, 99].map((x) => nearest(xs, x))).toEqual([0, 0, 1, 2, 3, 3]);
    expect(nearest([], 1)).toBe(-1);
  });
});
