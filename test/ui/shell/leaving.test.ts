import { describe, expect, it } from "vitest";
import { hasUnsavedSteps } from "../../../src/ui/shell/leaving.ts";
import type { RunPhase } from "../../../src/ui/state/records.ts";
import { RunFeed } from "../../../src/ui/state/run_feed.ts";

function runAt(phase: RunPhase, step: number): RunFeed {
  const run = new RunFeed("run", "live", {});
  if (step > 0) run.steps.push({ step });
  run.phase.value = phase;
  return run;
}

describe("hasUnsavedSteps()", () => {
  it("holds while steps are made", () => {
    for (const phase of ["training", "pausing", "stopping", "evaluating"] as RunPhase[])
      expect(hasUnsavedSteps(runAt(phase, 3), 3)).toBe(true);
  });

  it("does not hold without a run, or before its first step", () => {
    expect(hasUnsavedSteps(null, null)).toBe(false);
    expect(hasUnsavedSteps(runAt("loading", 0), null)).toBe(false);
    expect(hasUnsavedSteps(runAt("starting", 0), null)).toBe(false);
  });

  it("holds of a paused run only where steps came after its checkpoint", () => {
    expect(hasUnsavedSteps(runAt("paused", 7), 5)).toBe(true);
    expect(hasUnsavedSteps(runAt("paused", 5), 5)).toBe(false);
    expect(hasUnsavedSteps(runAt("paused", 2), null)).toBe(true);
  });
});
