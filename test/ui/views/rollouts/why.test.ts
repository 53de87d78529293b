import { expect, test } from "vitest";
import { pullOf, verdictLines, weightsOf } from "../../../../src/ui/views/rollouts/why.ts";
import { row } from "./rows.ts";

test("weightsOf() reads the recipe, and is empty where it says nothing", () => {
  const recipe = { verifier: { rewards: ["accuracy", "length"], weights: [1, 0.2] } };
  expect([...weightsOf(recipe)]).toEqual([
    ["accuracy", 1],
    ["length", 0.2],
  ]);
  expect(weightsOf({}).size).toBe(0);
  expect(weightsOf({ verifier: { rewards: ["accuracy"] } }).size).toBe(0);
});

test("verdictLines() weighs each reward and keeps what was not scored", () => {
  const verdicts = [
    { name: "accuracy", reward: 1, ms: 1 },
    { name: "length", reward: -0.5, ms: 1 },
    { name: "user", reward: null, ms: 500 },
  ];
  const ranges = new Map([["accuracy", { min: 0, max: 1 }]]);
  const lines = verdictLines(row({ verdicts }), new Map([["length", 0.2]]), ranges);
  expect(lines.map(({ weight, share, good }) => [weight, share, good])).toEqual([
    [1, 1, true],
    [0.2, -0.1, null],
    [1, null, null],
  ]);
});

test("pullOf() is the advantage, or the distance from the mean where none was recorded", () => {
  const rows = [row({ reward: 1 }), row({ reward: 0 })];
  expect(pullOf(row({ advantage: -0.3 }), { rows })).toEqual({ value: -0.3, kind: "advantage" });
  expect(pullOf(rows[0], { rows })).toEqual({ value: 0.5, kind: "from-mean" });
  expect(pullOf(row({ reward: null }), { rows })).toBeNull();
});
