import { describe, expect, test } from "vitest";
import {
  meanReward,
  RolloutIndex,
  sortedRows,
  TrainerVersions,
} from "../../../../src/ui/views/rollouts/group_index.ts";
import { row, run } from "./rows.ts";

describe("RolloutIndex", () => {
  test("groups rows by step and keeps the order of arrival", () => {
    const index = new RolloutIndex();
    index.update(run(3, 2));
    expect(index.steps).toEqual([1, 2, 3]);
    expect(index.groups.map(({ step, group }) => [step, group])).toEqual([
      [1, 0],
      [1, 1],
      [2, 2],
      [2, 3],
      [3, 4],
      [3, 5],
    ]);
    const entry = index.stepEntry(2);
    expect([entry?.rows, entry?.rewardSum, entry?.rewarded]).toEqual([8, 12, 8]);
  });

  test("takes in only new rows, and what was derived stays valid", () => {
    const rows = run(2, 2);
    const index = new RolloutIndex();
    index.update(rows);
    const { generation } = index;
    const first = index.groups[0];
    expect(index.update(rows)).toBe(false);
    rows.push(row({ step: 3, group: 4, id: 16 }));
    expect(index.update(rows)).toBe(true);
    expect(index.size).toBe(17);
    expect(index.groups[0]).toBe(first);
    expect(index.generation).toBe(generation);
  });

  test("begins anew where rows were trimmed or rewound", () => {
    const rows = run(3, 2);
    const index = new RolloutIndex();
    index.update(rows);
    const { generation } = index;
    index.update(rows.filter(({ step }) => step > 1));
    expect(index.steps).toEqual([2, 3]);
    expect(index.size).toBe(16);
    expect(index.rowOf(0)).toBeUndefined();
    expect(index.generation).toBeGreaterThan(generation);
  });

  test("says so when an earlier group grows", () => {
    const rows = run(1, 2);
    const index = new RolloutIndex();
    index.update(rows);
    const { generation } = index;
    rows.push(row({ step: 1, group: 0, id: 99 }));
    index.update(rows);
    expect(index.groups[0].rows).toHaveLength(5);
    expect(index.generation).toBeGreaterThan(generation);
  });

  test("keeps apart groups of the same number in different steps", () => {
    const index = new RolloutIndex();
    index.update([row({ step: 1, group: 7, id: 1 }), row({ step: 2, group: 7, id: 2 })]);
    expect(index.groups).toHaveLength(2);
  });

  test("finds a completion by id and a problem's groups", () => {
    const index = new RolloutIndex();
    index.update(run(2, 2));
    expect(index.rowOf(13)?.id).toBe(13);
    expect(index.groupOf(13)?.group).toBe(3);
    expect(index.groupsOfProblem("sum/1").map(({ step }) => step)).toEqual([1, 2]);
    expect(index.groupsOfProblem("none")).toEqual([]);
  });

  test("widens the range of each reward function and counts the changes", () => {
    const rows = [row({ id: 1, rewards: { a: 0.5, b: null } })];
    const index = new RolloutIndex();
    index.update(rows);
    const { rangesVersion } = index;
    rows.push(row({ id: 2, rewards: { a: 0.5, b: null } }));
    index.update(rows);
    expect(index.rangesVersion).toBe(rangesVersion);
    rows.push(row({ id: 3, rewards: { a: -1, b: null } }));
    index.update(rows);
    expect(index.ranges.get("a")).toEqual({ min: -1, max: 0.5 });
    expect(index.ranges.has("b")).toBe(false);
    expect(index.rangesVersion).toBe(rangesVersion + 1);
  });
});

test("sortedRows() puts the best first, unscored last, equals by id, and notices growth", () => {
  const rows = [0.5, null, 1, 0.5].map((reward, id) => row({ id, reward }));
  const index = new RolloutIndex();
  index.update(rows);
  expect(sortedRows(index.groups[0]).map(({ id }) => id)).toEqual([2, 0, 3, 1]);
  rows.push(row({ id: 4, reward: 2 }));
  index.update(rows);
  expect(sortedRows(index.groups[0])[0].id).toBe(4);
  expect(index.groups[0].rows.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4]);
});

test("meanReward() leaves out what was not scored", () => {
  expect(meanReward([row({ reward: 1 }), row({ reward: null }), row({ reward: 0 })])).toBe(0.5);
  expect(meanReward([row({ reward: null })])).toBeNull();
});

describe("TrainerVersions", () => {
  test("is what the trainer had published before the step", () => {
    const trainer = new TrainerVersions(2);
    trainer.update([{ step: 5, "trainer/policy_version": 12 }]);
    expect(trainer.before(5)).toBe(10);
  });

  test("counts updates where a step told no version", () => {
    const trainer = new TrainerVersions(2);
    expect([trainer.before(1), trainer.before(4)]).toEqual([0, 6]);
  });

  test("follows steps that are appended, and forgets those rewound", () => {
    const steps = [{ step: 1, "trainer/policy_version": 11 }];
    const trainer = new TrainerVersions(1);
    trainer.update(steps);
    steps.push({ step: 2, "trainer/policy_version": 22 });
    trainer.update(steps);
    expect([trainer.before(1), trainer.before(2)]).toEqual([10, 21]);
    steps.length = 1;
    trainer.update(steps);
    expect(trainer.before(2)).toBe(1);
  });
});
