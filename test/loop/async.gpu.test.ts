import { afterAll, describe, expect, it } from "vitest";
import { hasModel, loop, removeFolders, tinyRecipe, train } from "./tiny.ts";

const oldest = (versions: Int32Array) => versions.reduce((low, version) => Math.min(low, version));

describe.skipIf(!hasModel)("mode: async", () => {
  afterAll(removeFolders);

  it("keeps staleness within its bound and drops nothing for it", async () => {
    const { metrics, summary } = await train(
      tinyRecipe({ steps: 8, trainer: { batchSize: 8, groupSize: 4 } }),
    );
    expect(summary).toMatchObject({ steps: 8, samples: 64 });
    const staleness = metrics.map((row) => row["sample/staleness_max"] as number);
    expect(Math.max(...staleness)).toBe(1);
    expect(metrics.map((row) => row["sample/dropped_stale_total"])).toEqual(metrics.map(() => 0));
  });

  it("loses no sequence when weights change under it", async () => {
    const dead: number[] = [];
    const recipe = tinyRecipe({ steps: 5, generator: { decodeChunk: 1 } });
    const { end, steps } = await loop(recipe, {
      onGroup: (group, alive) => {
        if (!alive) dead.push(group.groupId);
      },
    });
    const trained = steps.flatMap(({ groups }) => groups.map(({ groupId }) => groupId));
    const accounted = [...trained, ...dead, ...end.inFlight].sort((a, b) => a - b);
    expect(accounted).toEqual(Array.from({ length: end.nextGroup }, (_, id) => id));
    const rollouts = steps.flatMap(({ groups }) => groups.flatMap((group) => group.rollouts));
    expect(rollouts).toHaveLength(5 * 16);
    expect(new Set(rollouts.map(({ id }) => id)).size).toBe(rollouts.length);
    // The swaps that could have lost one: sequences that two versions have written.
    const swapped = rollouts.filter(({ policyVersions }) => new Set(policyVersions).size > 1);
    expect(swapped.length).toBeGreaterThan(0);
    for (const { groups, trained: step } of steps) {
      for (const { policyVersions } of groups.flatMap((group) => group.rollouts))
        expect(step.version - 1 - oldest(policyVersions)).toBeLessThanOrEqual(1);
    }
  });
});
