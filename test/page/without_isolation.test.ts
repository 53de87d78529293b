import { expect, inject } from "vitest";
import { SMOKE, stepRows } from "./controls.ts";
import { type Steps, tellStory } from "./story.ts";
import { BEGINNING, ENDING, MIDDLE } from "./training_steps.ts";

const NOTHING_SHARED: Steps = {
  "has no shared memory": async ({ opened: { page } }) => {
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    expect(await page.evaluate(() => typeof SharedArrayBuffer)).toBe("undefined");
  },
};

const TRANSFERRED: Steps = {
  "says that nothing is shared": async ({ opened: { page } }) => {
    await page
      .getByText(/without shared memory/i)
      .first()
      .waitFor();
  },
};

const VERSIONS: Steps = {
  "brings the trainer's versions to the generator, each under a number of its own": async ({
    opened: { page },
    run,
  }) => {
    const steps = await stepRows(page, run);
    // A trainer that was lost goes on with new numbers: none ever stands for two policies.
    const versions = steps.map((row) => Number(row["trainer/policy_version"]));
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(versions.length).toBe(12);
    expect(steps.reduce((sum, row) => sum + Number(row["rollout/weight_swaps_total"]), 0)).toBeGreaterThan(1);
  },
};

tellStory("training over transferred buffers", () => `${inject("plain")}?isolate=no#${SMOKE}`, {
  ...NOTHING_SHARED,
  ...BEGINNING,
  ...TRANSFERRED,
  ...MIDDLE,
  ...VERSIONS,
  ...ENDING,
});
