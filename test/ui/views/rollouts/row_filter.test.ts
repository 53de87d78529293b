import { describe, expect, test } from "vitest";
import { RolloutIndex } from "../../../../src/ui/views/rollouts/group_index.ts";
import {
  disagrees,
  facetsOf,
  findsGood,
  isFiltering,
  NO_FILTER,
  type RowFilter,
  rowTest,
  staleness,
} from "../../../../src/ui/views/rollouts/row_filter.ts";
import { row } from "./rows.ts";

const trainer = { before: (step: number) => step - 1 };
const ranges = new Map([
  ["accuracy", { min: 0, max: 1 }],
  ["length", { min: -1, max: 0 }],
]);
const passes = (filter: Partial<RowFilter>, change: Parameters<typeof row>[0]) =>
  rowTest({ ...NO_FILTER, ...filter }, { ranges, trainer })(row(change));

test("nothing is filtered by default", () => {
  expect(isFiltering(NO_FILTER)).toBe(false);
  expect(isFiltering({ ...NO_FILTER, search: "  " })).toBe(false);
  expect(isFiltering({ ...NO_FILTER, minReward: 0 })).toBe(true);
  expect(passes({}, { reward: null, correct: null })).toBe(true);
});

test("truncated keeps what reached the length limit", () => {
  expect(passes({ truncated: true }, { finish_reason: "length" })).toBe(true);
  expect(passes({ truncated: true }, { finish_reason: "stop" })).toBe(false);
});

test("right and wrong leave out what was not judged", () => {
  const kept = (correctness: RowFilter["correctness"]) =>
    [1, 0, null].map((correct) => passes({ correctness }, { correct }));
  expect(kept("right")).toEqual([true, false, false]);
  expect(kept("wrong")).toEqual([false, true, false]);
});

test("bounds on the reward are inclusive and leave out what was not scored", () => {
  const kept = [0, 0.5, 1, null].map((reward) => passes({ minReward: 0.5, maxReward: 0.9 }, { reward }));
  expect(kept).toEqual([false, true, false, false]);
  expect(passes({ maxReward: 0 }, { reward: -1 })).toBe(true);
});

test("search looks at completion, prompt and answer, whatever the case", () => {
  expect(passes({ search: " IT IS " }, {})).toBe(true);
  expect(passes({ search: "1 + 1" }, {})).toBe(true);
  expect(passes({ search: "apple" }, { prompt: [{ role: "user", content: "One Apple" }] })).toBe(true);
  expect(passes({ search: "42" }, { answer: "42" })).toBe(true);
  expect(passes({ search: "42" }, { answer: null })).toBe(false);
});

test("filters add up", () => {
  const filter: Partial<RowFilter> = { truncated: true, correctness: "wrong" };
  expect(passes(filter, { finish_reason: "length", correct: 0 })).toBe(true);
  expect(passes(filter, { finish_reason: "length", correct: 1 })).toBe(false);
});

describe("staleness()", () => {
  test("counts from the oldest token to the weights the step began with", () => {
    expect(staleness(row({ step: 5, policy_versions: [2, 4] }), trainer)).toBe(2);
    expect(staleness(row({ step: 5, policy_versions: [4, 4] }), trainer)).toBe(0);
  });
  test("is never negative", () => {
    expect(staleness(row({ step: 1, policy_versions: [3, 3] }), trainer)).toBe(0);
  });
});

describe("findsGood()", () => {
  test("judges by the middle of what the function gives", () => {
    expect(findsGood(0.5, { min: 0, max: 1 })).toBe(true);
    expect(findsGood(0.1, { min: 0, max: 1 })).toBe(false);
    expect(findsGood(0, { min: -1, max: 0 })).toBe(true);
    expect(findsGood(-0.6, { min: -1, max: 0 })).toBe(false);
  });
  test("has no opinion where nothing was given, or always the same", () => {
    expect(findsGood(null, { min: 0, max: 1 })).toBeNull();
    expect(findsGood(1, { min: 1, max: 1 })).toBeNull();
    expect(findsGood(1, undefined)).toBeNull();
  });
});

test("disagrees() needs one good and one bad", () => {
  expect(disagrees(row({ rewards: { accuracy: 1, length: -1 } }), ranges)).toBe(true);
  expect(disagrees(row({ rewards: { accuracy: 1, length: 0 } }), ranges)).toBe(false);
  expect(disagrees(row({ rewards: { accuracy: 0, length: null } }), ranges)).toBe(false);
});

test("facetsOf() counts each filter by step, and again when rows or ranges change", () => {
  const rows = [
    row({ id: 1, step: 1, correct: 1, rewards: { accuracy: 1 } }),
    row({ id: 2, step: 1, correct: 0, finish_reason: "length", rewards: { accuracy: 0 } }),
    row({ id: 3, step: 2, group: 1, correct: null, policy_versions: [0, 1], rewards: { accuracy: 1 } }),
  ];
  const index = new RolloutIndex();
  index.update(rows);
  expect(facetsOf(index, [1], trainer)).toEqual({
    right: 1,
    wrong: 1,
    truncated: 1,
    stale: 0,
    disagreement: 0,
  });
  expect(facetsOf(index, [1, 2], trainer)).toMatchObject({ right: 1, stale: 1 });
  rows.push(row({ id: 4, step: 2, group: 1, correct: 1, rewards: { accuracy: 1, length: -1 } }));
  rows.push(row({ id: 5, step: 2, group: 1, correct: 1, rewards: { accuracy: 1, length: 0 } }));
  index.update(rows);
  expect(facetsOf(index, [1, 2, 9], trainer)).toMatchObject({ right: 3, disagreement: 1 });
});
