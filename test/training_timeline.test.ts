import { describe, expect, it } from "vitest";
import type { TraceEvent } from "../src/metrics/trace.ts";
import { readTrace } from "../src/metrics/trace_read.ts";
import type { TrainerStep } from "../src/trainer/api.ts";
import { RunTimeline } from "../src/training_timeline.ts";
import { makeGroup } from "./trainer/rollouts.ts";

const step = {
  version: 4,
  spans: [
    { name: "pack", start: 1000, end: 1001 },
    { name: "forward", start: 1001, end: 1031, details: { microBatch: 1, tokens: 9 } },
    { name: "backward", start: 1031, end: 1091, details: { microBatch: 1, tokens: 9 } },
    { name: "optimiser", start: 1091, end: 1099 },
    { name: "read back", start: 1099, end: 1101 },
    { name: "publish", start: 1101, end: 1102, details: { version: 4 } },
  ],
  gpuSpans: [{ name: "compute", start: 1002, end: 1100, details: { submits: 3, dispatches: 90 } }],
} as Partial<TrainerStep> as TrainerStep;

const named = (events: TraceEvent[], kind: TraceEvent["kind"]) =>
  events.filter((event) => event.kind === kind);

describe("RunTimeline", () => {
  it("adds what the loop knows of a step: its wait, its version, where its groups came from", () => {
    const timeline = new RunTimeline();
    timeline.groupFinished(7, { track: "generator 0", at: 900 });
    timeline.groupFinished(8, { track: "generator 1", at: 950 });
    timeline.groupFinished(9, { track: "generator 1", at: 960 });
    timeline.groupDropped(9);
    timeline.trained(
      3,
      [7, 8, 9].map((id) => makeGroup(id, [1])),
      step,
      40,
    );
    const events = timeline.take();
    expect(named(events, "slice")).toMatchObject([
      { name: "wait for rollouts", start: 960, end: 1000, details: { step: 3 } },
      { name: "pack", details: { step: 3 } },
      { name: "forward", track: "trainer", details: { step: 3, microBatch: 1, tokens: 9 } },
      { name: "backward", track: "trainer", details: { step: 3, microBatch: 1, tokens: 9 } },
      { name: "optimiser", track: "trainer", details: { step: 3 } },
      { name: "read back", track: "trainer", details: { step: 3 } },
      { name: "publish", details: { step: 3, version: 4 } },
      { name: "compute", track: "GPU of the trainer", start: 1002, end: 1100, details: { submits: 3 } },
    ]);
    expect(named(events, "mark")).toEqual([{ kind: "mark", name: "version 4", at: 1102 }]);
    const arrows = named(events, "arrow") as Extract<TraceEvent, { kind: "arrow" }>[];
    expect(arrows.map(({ name, from }) => [name, from.track, from.at])).toEqual([
      ["group 7", "generator 0", 900],
      ["group 8", "generator 1", 950],
    ]);
    for (const { to } of arrows) {
      expect(to.track).toBe("trainer");
      expect(to.at).toBeGreaterThan(1001);
      expect(to.at).toBeLessThan(1031);
    }
    // A group is used once.
    timeline.trained(4, [makeGroup(7, [1])], step, 0);
    expect(named(timeline.take(), "arrow")).toEqual([]);
  });

  it("hands everything out once and keeps it for the file, also what was there before", () => {
    const mark = (name: string, at: number): TraceEvent => ({ kind: "mark", name, at });
    const timeline = new RunTimeline([mark("version 0", 10)]);
    timeline.add([mark("version 1", 20)]);
    expect(timeline.take()).toEqual([mark("version 1", 20)]);
    expect(timeline.take()).toEqual([]);
    timeline.published(2, 30);
    expect(timeline.take()).toEqual([mark("version 2", 30)]);
    expect(readTrace(timeline.toJson())).toEqual([10, 20, 30].map((at, k) => mark(`version ${k}`, at)));
  });

  it("forgets the oldest of groups that never come back", () => {
    const timeline = new RunTimeline();
    for (let id = 0; id < 10_000; id++) timeline.groupFinished(id, { track: "generator 0", at: id });
    timeline.trained(
      1,
      [0, 9_999].map((id) => makeGroup(id, [1])),
      step,
      0,
    );
    expect(named(timeline.take(), "arrow")).toMatchObject([{ name: "group 9999" }]);
  });
});
