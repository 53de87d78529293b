import { describe, expect, it } from "vitest";
import { recordedPulse, runTotals } from "../../../src/ui/shell/recorded_pulse.ts";
import type { StepRow } from "../../../src/ui/state/records.ts";

const row = (step: number, more: StepRow = {}): StepRow => ({
  step,
  "batch/groups_per_step": 4,
  "batch/samples_per_step": 32,
  "batch/dead_groups": 1,
  "verifier/scored_total": 40,
  "trainer/idle_ratio": 0.4,
  "generator/idle_ratio": 0,
  "rollout/inflight": 30,
  "rollout/active_rows_mean": 21.6,
  "sample/staleness_mean": 0.8,
  ...more,
});
const steps = [row(1), row(2), row(3)];
const totals = runTotals(steps);
const at = (position: number, playing = true) => recordedPulse(steps, totals, position, playing);

describe("runTotals()", () => {
  it("adds up what each step used, dropped groups among the problems", () => {
    expect(totals).toEqual({ problems: [0, 5, 10, 15], scored: [0, 40, 80, 120], trained: [0, 32, 64, 96] });
  });

  it("leaves out what the verifiers scored for an evaluation", () => {
    expect(runTotals([row(1, { "verifier/scored_total": 2088 })]).scored).toEqual([0, 40]);
  });
});

describe("recordedPulse()", () => {
  it("moves totals on within a step", () => {
    expect(at(1).scored).toBe(40);
    expect(at(1.5).scored).toBe(60);
    expect(at(2).scored).toBe(80);
  });

  it("has the trainer wait for its share of the step and then train", () => {
    expect(at(1.1).activity.trainer).toBe("waiting");
    expect(at(1.39).activity.trainer).toBe("waiting");
    expect(at(1.41).activity.trainer).toBe("busy");
  });

  it("fills the batch until it is taken, and begins the next while the trainer trains", () => {
    expect(at(1.39).collected).toBeGreaterThan(30);
    expect(at(1.42).collected).toBeLessThan(2);
    expect(at(1.99).collected).toBeCloseTo(32 * 0.59, -0.5);
    // Goes on over the step's end where it left off.
    expect(Math.abs(at(2.01).collected - at(1.99).collected)).toBeLessThan(3);
  });

  it("splits what is in flight into decoded and queued", () => {
    expect(at(1.2)).toMatchObject({ decoding: 22, queued: 8 });
  });

  it("lets the generator's version trail by the staleness, never below the first", () => {
    expect(at(0.5)).toMatchObject({ trainerVersion: 0, generatorVersion: 0 });
    expect(at(2.5)).toMatchObject({ trainerVersion: 2, generatorVersion: 1 });
  });

  it("tells versions from steps, where one brings several", () => {
    const twice = steps.map((each) => ({ ...each, "trainer/policy_version": 2 * (each.step ?? 0) }));
    const pulse = (position: number) => recordedPulse(twice, totals, position, true);
    expect(pulse(2.5)).toMatchObject({ trainerVersion: 4, generatorVersion: 3 });
    expect(pulse(3)).toMatchObject({ trainerVersion: 6, generatorVersion: 6 });
  });

  it("is at rest when paused and at the end", () => {
    expect(Object.values(at(1.5, false).activity)).toEqual(Array(5).fill("idle"));
    expect(at(3)).toMatchObject({ decoding: 0, queued: 0, collected: 0, trainerVersion: 3, trained: 96 });
    expect(Object.values(at(3).activity)).toEqual(Array(5).fill("idle"));
  });

  it("shows zeros of a run without steps", () => {
    expect(recordedPulse([], runTotals([]), 0, true)).toMatchObject({ problemsStarted: 0, batchSize: 0 });
  });
});
