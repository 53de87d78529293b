import { describe, expect, it } from "vitest";
import { stepMoments, timelineOf } from "../../../src/ui/shell/recorded_timeline.ts";
import type { TraceEvent } from "../../../src/ui/state/records.ts";

const trained = (step: number, start: number, end: number): TraceEvent => ({
  kind: "slice",
  track: "trainer",
  name: "forward",
  start,
  end,
  details: { step },
});

describe("stepMoments()", () => {
  it("takes the end of the trainer's last slice of a step", () => {
    const trace = [trained(1, 0, 40), trained(1, 40, 50), trained(2, 60, 90)];
    expect(stepMoments(trace, 2)).toEqual([0, 50, 90]);
  });

  it("spreads steps without slices evenly between those with some", () => {
    expect(stepMoments([trained(1, 0, 100), trained(4, 300, 400)], 4)).toEqual([0, 100, 200, 300, 400]);
  });

  it("spreads all of them over the trace where no slice names a step", () => {
    const trace: TraceEvent[] = [
      { kind: "mark", name: "ready", at: 1000 },
      { kind: "mark", name: "end", at: 1300 },
    ];
    expect(stepMoments(trace, 3)).toEqual([1000, 1100, 1200, 1300]);
  });

  it("never runs backwards", () => {
    const moments = stepMoments([trained(1, 0, 100), trained(2, 10, 80), trained(3, 100, 130)], 3);
    expect(moments).toEqual([...moments].sort((a, b) => a - b));
  });
});

describe("timelineOf()", () => {
  it("counts events as over when they end, arrows when they arrive", () => {
    const { events, countUntil } = timelineOf(
      [
        trained(2, 100, 200),
        {
          kind: "arrow",
          name: "rollout",
          from: { track: "generator 0", at: 10 },
          to: { track: "trainer", at: 150 },
        },
        trained(1, 0, 100),
      ],
      2,
    );
    expect(events.map(({ kind }) => kind)).toEqual(["slice", "arrow", "slice"]);
    expect([0, 0.5, 1, 1.4, 1.5, 2].map(countUntil)).toEqual([0, 0, 1, 1, 2, 3]);
  });

  it("tells who worked at a position, waits told from work", () => {
    const slice = (track: string, name: string, start: number, end: number, step?: number): TraceEvent => ({
      kind: "slice",
      track,
      name,
      start,
      end,
      ...(step && { details: { step } }),
    });
    const { activityAt } = timelineOf(
      [
        slice("generator 0", "decode", -500, -100),
        slice("trainer", "wait for rollouts", 0, 60, 1),
        slice("trainer", "forward", 60, 100, 1),
        slice("generator 0", "decode", 0, 50),
        slice("generator 1", "decode", 10, 80),
      ],
      1,
    );
    expect(activityAt(0.3)).toEqual({ generator: "busy", trainer: "waiting" });
    expect(activityAt(0.7)).toEqual({ generator: "busy", trainer: "busy" });
    expect(activityAt(0.9)).toEqual({ generator: "waiting", trainer: "busy" });
  });

  it("begins the first step where the trainer began to wait for it", () => {
    const early: TraceEvent = { kind: "mark", name: "ready", at: -5000 };
    expect(stepMoments([early, trained(1, 0, 100)], 1)).toEqual([0, 100]);
  });

  it("has nothing to count without a trace", () => {
    expect(timelineOf([], 5).countUntil(3)).toBe(0);
  });
});
