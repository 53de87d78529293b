import { describe, expect, it } from "vitest";
import type { TraceEvent } from "../../../../src/metrics/trace.ts";
import { type Slice, TraceIndex } from "../../../../src/ui/views/timeline/trace_index.ts";
import { syntheticTrace } from "./synthetic_trace.ts";

const slice = (track: string, name: string, start: number, end: number): Slice => ({
  kind: "slice",
  track,
  name,
  start,
  end,
});

function indexOf(...events: TraceEvent[]): TraceIndex {
  const index = new TraceIndex();
  index.sync(events);
  return index;
}

const laneNames = (index: TraceIndex, track: string) =>
  index.track(track)?.lanes.map(({ slices }) => slices.map(({ name }) => name));

describe("TraceIndex", () => {
  it("orders tracks as the loop does, then by number", () => {
    const index = indexOf(
      ...[
        "trainer",
        "GPU of generator 10",
        "generator 10",
        "verifier 0",
        "generator 2",
        "GPU of the trainer",
        "disk",
        "GPU of generator 2",
      ].map((track) => slice(track, "a", 0, 1)),
    );
    expect(index.tracks.map(({ name }) => name)).toEqual([
      "generator 2",
      "GPU of generator 2",
      "generator 10",
      "GPU of generator 10",
      "verifier 0",
      "trainer",
      "GPU of the trainer",
      "disk",
    ]);
    expect(index.tracks.map(({ gpu }) => gpu)).toEqual([false, true, false, true, false, false, true, false]);
    expect(index.tracks.map(({ stage }) => stage)).toEqual([
      "generator",
      "generator",
      "generator",
      "generator",
      "verifier",
      "trainer",
      "trainer",
      null,
    ]);
  });

  it("puts slices that overlap into lanes, an enclosing one above what it encloses though it is told later", () => {
    const index = indexOf(
      slice("trainer", "pack", 0, 10),
      slice("trainer", "forward", 10.01, 30),
      slice("trainer", "step", 0, 40),
      slice("trainer", "publish", 40, 50),
    );
    expect(laneNames(index, "trainer")).toEqual([
      ["step", "publish"],
      ["pack", "forward"],
    ]);
  });

  it("takes clocks that disagree by a hair for neighbours", () => {
    const index = indexOf(slice("trainer", "pack", 0, 10.02), slice("trainer", "forward", 10, 30));
    expect(laneNames(index, "trainer")).toEqual([["pack", "forward"]]);
  });

  it("takes only what is new, and gives the same as all at once", () => {
    const events = syntheticTrace({ steps: 12 });
    const growing = new TraceIndex();
    const told: TraceEvent[] = [];
    for (let i = 0; i < events.length; i += 7) {
      told.push(...events.slice(i, i + 7));
      expect(growing.sync(told)).toBe(true);
      expect(growing.sync(told)).toBe(false);
    }
    const whole = indexOf(...events);
    expect(growing.tracks.map(({ name, slices }) => [name, slices])).toEqual(
      whole.tracks.map(({ name, slices }) => [name, slices]),
    );
    for (const { name } of whole.tracks) expect(laneNames(growing, name)).toEqual(laneNames(whole, name));
    expect(growing.marks).toEqual(whole.marks);
    expect([growing.first, growing.last]).toEqual([whole.first, whole.last]);
  });

  it("begins anew with another array and keeps the clock's beginning", () => {
    const events = [slice("trainer", "a", 100, 200), slice("trainer", "b", 300, 400)];
    const index = indexOf(...events);
    expect(index.sync(events.slice(1))).toBe(true);
    expect(laneNames(index, "trainer")).toEqual([["b"]]);
    expect(index.first).toBe(300);
    expect(index.origin).toBe(100);
  });

  it("finds the arrows that leave and reach a slice", () => {
    const decode = slice("generator 0", "decode", 0, 10);
    const forward = slice("trainer", "forward", 20, 30);
    const arrow = (name: string, from: [string, number], to: [string, number]): TraceEvent => ({
      kind: "arrow",
      name,
      from: { track: from[0], at: from[1] },
      to: { track: to[0], at: to[1] },
    });
    const index = indexOf(
      decode,
      forward,
      arrow("mine", ["generator 0", 10], ["trainer", 22]),
      arrow("another track's", ["generator 1", 5], ["trainer", 25]),
      arrow("later", ["generator 0", 12], ["trainer", 31]),
    );
    expect(index.leaving(decode).map(({ name }) => name)).toEqual(["mine"]);
    expect(index.reaching(forward).map(({ name }) => name)).toEqual(["mine", "another track's"]);
    expect(index.arrowsIn({ from: 26, to: 40 }).map(({ name }) => name)).toEqual(["later"]);
    expect(index.arrowsIn({ from: 0, to: 6 }).map(({ name }) => name)).toEqual(["another track's"]);
  });

  it("finds the innermost slice at a moment", () => {
    const index = indexOf(slice("trainer", "forward", 10, 20), slice("trainer", "step", 0, 30));
    expect(index.sliceAt("trainer", 15)?.name).toBe("forward");
    expect(index.sliceAt("trainer", 25)?.name).toBe("step");
    expect(index.sliceAt("trainer", 35)).toBeNull();
    expect(index.sliceAt("nobody", 5)).toBeNull();
  });
});
