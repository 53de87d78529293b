import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchCollector, type CollectorOptions, collectionMetrics } from "../../src/trainer/collector.ts";
import { makeGroup } from "./rollouts.ts";

const options: CollectorOptions = {
  completionsPerBatch: 4,
  groupSize: 2,
  filter: "reward",
  order: "arrival",
  maxStaleness: 1,
};
const alive = (id: number, version: number | number[] = 0) =>
  makeGroup(id, [
    { reward: 1, version, correct: 1 },
    { reward: 0, version, correct: 0 },
  ]);
const dead = (id: number, reward = 1) =>
  makeGroup(id, [
    { reward, correct: reward },
    { reward, correct: reward },
  ]);

describe("BatchCollector", () => {
  it("fills batches of a fixed number of completions in arrival order and counts dead groups", () => {
    const collector = new BatchCollector(options);
    expect(collector.add(alive(3))).toBe(true);
    expect(collector.add(dead(1))).toBe(false);
    expect(collector.add(dead(4, 0))).toBe(false);
    expect(collector.take(0)).toBeNull();
    expect(collector.missingCompletions).toBe(2);
    collector.add(alive(0));
    collector.add(dead(7));
    const batch = collector.take(0);
    expect(batch?.groups.map((group) => group.groupId)).toEqual([3, 0]);
    expect(batch?.stats).toMatchObject({
      groupsSeen: 4,
      groupsDead: 2,
      groupsSolved: 1,
      groupsUnsolved: 1,
      completionsDropped: 4,
    });
    if (!batch) throw new Error("no batch");
    expect(collectionMetrics(batch.stats)).toMatchObject({
      frac_reward_zero_std: 0.5,
      "batch/groups_per_step": 2,
    });
    expect(collector.take(0)).toBeNull();
  });

  it("counts flat groups that the filter keeps", () => {
    const collector = new BatchCollector({ ...options, filter: "none" });
    collector.add(dead(0));
    collector.add(alive(1));
    const stats = collector.take(0)?.stats;
    expect(stats).toMatchObject({ groupsSeen: 2, groupsDead: 0, groupsFlat: 1 });
  });

  it("in order of ids gives the same batches whatever the arrival", () => {
    const groups = [0, 1, 2, 3, 4, 5, 6, 7].map((id) => (id % 3 === 1 ? dead(id) : alive(id)));
    const run = (order: number[]) => {
      const collector = new BatchCollector({ ...options, order: "groupId" });
      const batches: unknown[] = [];
      for (const i of order) {
        collector.add(groups[i]);
        for (let batch = collector.take(0); batch; batch = collector.take(0)) {
          batches.push([batch.groups.map((group) => group.groupId), batch.stats]);
        }
      }
      return batches;
    };
    const straight = run([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(straight).toHaveLength(2);
    const orders = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 });
    fc.assert(
      fc.property(orders, (order) => {
        expect(run(order)).toEqual(straight);
      }),
    );
    // The control: by arrival they differ.
    const collector = new BatchCollector(options);
    for (const i of [7, 6, 5, 4]) collector.add(groups[i]);
    expect(collector.take(0)?.groups[0].groupId).toBe(6);
  });

  it("in order of ids waits for a gap until it is skipped", () => {
    const collector = new BatchCollector({ ...options, order: "groupId", firstGroupId: 10 });
    collector.add(alive(11));
    collector.add(alive(12));
    expect(collector.take(0)).toBeNull();
    expect(collector.nextGroupId).toBe(10);
    collector.skip(10);
    expect(collector.take(0)?.stats).toMatchObject({ groupsMissing: 1, groupsSeen: 2 });
  });

  it("in order of ids takes restarted groups before new ones", () => {
    const collector = new BatchCollector({
      ...options,
      order: "groupId",
      firstGroupId: 10,
      restartedGroupIds: [8, 5],
    });
    collector.add(alive(10));
    collector.add(alive(8));
    collector.add(alive(7)); // finished before the restart
    expect(collector.take(0)).toBeNull();
    collector.add(alive(5));
    expect(collector.take(0)?.groups.map((group) => group.groupId)).toEqual([5, 8]);
    expect(collector.nextGroupId).toBe(11);
    expect(collector.duplicates).toBe(1);
  });

  it("drops groups that are too old or from the future, and counts them", () => {
    const collector = new BatchCollector(options);
    collector.add(alive(0, [2, 3, 3, 4])); // oldest token 3 versions behind
    collector.add(alive(1, 4));
    collector.add(alive(2, [4, 5, 5, 5]));
    collector.add(alive(3, 6)); // newer than the trainer
    expect(collector.take(5)?.groups.map((group) => group.groupId)).toEqual([1, 2]);
    collector.add(alive(4, 5));
    collector.add(alive(5, 3));
    expect(collector.take(5)).toBeNull();
    expect(collector.drainStaleGroupIds()).toEqual([5]);
    collector.add(alive(6, 5));
    const batch = collector.take(5);
    expect(batch?.stats).toMatchObject({ groupsStale: 1, groupsSeen: 3, stalenessMean: 0, stalenessMax: 0 });
    expect(batch?.staleGroupIds).toEqual([]);
  });

  it("measures staleness by the oldest token of each completion", () => {
    const collector = new BatchCollector({ ...options, maxStaleness: 4 });
    collector.add(alive(0, [2, 3, 3, 4]));
    collector.add(alive(1, 5));
    expect(collector.take(5)?.stats).toMatchObject({ stalenessMean: 1.5, stalenessMax: 3 });
  });

  it("takes a smaller batch when told so", () => {
    const collector = new BatchCollector(options);
    expect(collector.take(0, 1)).toBeNull();
    collector.add(alive(0));
    expect(collector.take(0, 2)?.groups).toHaveLength(1);
  });

  it("ignores a group that comes twice, in either order", () => {
    for (const order of ["arrival", "groupId"] as const) {
      const collector = new BatchCollector({ ...options, order });
      collector.add(alive(0));
      collector.add(alive(0));
      expect(collector.pendingCompletions).toBe(2);
      expect(collector.duplicates).toBe(1);
    }
  });

  it("counts completions that nothing could score", () => {
    const collector = new BatchCollector({ ...options, groupSize: 4 });
    collector.add(makeGroup(0, [1, null, 0, null]));
    expect(collector.take(0)?.stats.completionsUnscored).toBe(2);
  });

  it("refuses sizes that cannot make a batch", () => {
    expect(() => new BatchCollector({ ...options, completionsPerBatch: 5 })).toThrow(/multiple/);
    expect(() => new BatchCollector(options).add(makeGroup(0, [1, 0, 1]))).toThrow(/3 rollouts: 2/);
  });
});
