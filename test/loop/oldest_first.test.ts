import { describe, expect, it } from "vitest";
import { BatchCollector } from "../../src/trainer/collector.ts";
import { makeGroup } from "../trainer/rollouts.ts";

const group = (id: number, version: number) =>
  makeGroup(id, [
    { reward: 1, version },
    { reward: 0, version },
  ]);
const ids = (collector: BatchCollector, version: number) =>
  collector.take(version)?.groups.map(({ groupId }) => groupId);

describe("BatchCollector, in arrival order", () => {
  it("takes late-comers of an older version first, so that the next batch need not drop them", () => {
    const collector = new BatchCollector({
      completionsPerBatch: 4,
      groupSize: 2,
      filter: "reward",
      order: "arrival",
      maxStaleness: 1,
    });
    for (const [id, version] of [
      [5, 1],
      [4, 1],
      [2, 0],
      [6, 1],
    ])
      collector.add(group(id, version));
    expect(ids(collector, 1)).toEqual([2, 5]);
    expect(ids(collector, 2)).toEqual([4, 6]);
    expect(collector.drainStaleGroupIds()).toEqual([]);
  });
});
