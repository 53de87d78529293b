import { describe, expect, it } from "vitest";
import { Lane } from "../../../../src/ui/views/timeline/lane.ts";
import { visitLane } from "../../../../src/ui/views/timeline/lod.ts";
import { TraceIndex } from "../../../../src/ui/views/timeline/trace_index.ts";
import { syntheticTrace } from "./synthetic_trace.ts";

type Told =
  | { kind: "slice"; name: string; x: number; width: number }
  | { kind: "merged"; x: number; width: number; covered: number; waits: boolean }
  | { kind: "gap"; x: number; width: number; next: string };

function laneOf(...slices: [name: string, start: number, end: number][]): Lane {
  const lane = new Lane();
  for (const [name, start, end] of slices) lane.push({ kind: "slice", track: "trainer", name, start, end });
  return lane;
}

function visit(lane: Lane, from: number, to: number, width: number): Told[] {
  const told: Told[] = [];
  visitLane(lane, { from, to }, width, {
    slice: (x, wide, { name }) => told.push({ kind: "slice", name, x, width: wide }),
    merged: (x, wide, covered, waits) => told.push({ kind: "merged", x, width: wide, covered, waits }),
    gap: (x, wide, { name }) => told.push({ kind: "gap", x, width: wide, next: name }),
  });
  return told;
}

describe("visitLane()", () => {
  it("tells wide slices one by one and the gaps between them, and nothing out of view", () => {
    const lane = laneOf(["a", 0, 10], ["b", 20, 60], ["c", 60, 80], ["d", 90, 95], ["e", 130, 140]);
    expect(visit(lane, 30, 110, 160)).toEqual([
      { kind: "slice", name: "b", x: -20, width: 80 },
      { kind: "slice", name: "c", x: 60, width: 40 },
      { kind: "gap", x: 100, width: 20, next: "d" },
      { kind: "slice", name: "d", x: 120, width: 10 },
      { kind: "gap", x: 130, width: 70, next: "e" },
    ]);
  });

  it("tells the gap that fills the whole view", () => {
    expect(visit(laneOf(["a", 0, 10], ["b", 100, 110]), 40, 60, 100)).toEqual([
      { kind: "gap", x: -150, width: 450, next: "b" },
    ]);
  });

  it("gathers narrow slices, like pixels as one run", () => {
    const tiny = Array.from({ length: 400 }, (_, i): [string, number, number] => ["decode", i, i + 1]);
    expect(visit(laneOf(...tiny), 0, 400, 40)).toEqual([
      { kind: "merged", x: 0, width: 40, covered: 1, waits: false },
    ]);
  });

  it("says how much of gathered pixels is covered and whether by waits", () => {
    // Pixels of 10 ms: four of them half covered by work, then four a quarter covered by waits.
    const work = Array.from({ length: 20 }, (_, i): [string, number, number] => ["decode", 2 * i, 2 * i + 1]);
    const waits = Array.from({ length: 10 }, (_, i): [string, number, number] => [
      "wait",
      40 + 4 * i,
      41 + 4 * i,
    ]);
    const merged = visit(laneOf(...work, ...waits), 0, 80, 8).filter(({ kind }) => kind === "merged");
    expect(merged[0]).toEqual({ kind: "merged", x: 0, width: 4, covered: 0.5, waits: false });
    expect(merged.slice(1).every((run) => run.kind === "merged" && run.waits)).toBe(true);
  });

  it("shows slices of no length", () => {
    expect(visit(laneOf(["a", 50, 50]), 0, 100, 10)).toEqual([
      { kind: "merged", x: 5, width: 1, covered: 0.25, waits: false },
    ]);
  });

  it("keeps what narrow and wide slices cover in order", () => {
    const told = visit(laneOf(["a", 0, 1], ["b", 1, 50], ["c", 50, 51], ["d", 51, 100]), 0, 100, 100);
    expect(told.map((run) => (run.kind === "slice" ? run.name : run.kind))).toEqual([
      "merged",
      "b",
      "merged",
      "d",
    ]);
  });

  it("tells no more runs than pixels of a long trace, and loses no pixel of it", () => {
    const index = new TraceIndex();
    index.sync(syntheticTrace({ steps: 400, decode: 10, train: 80 }));
    const width = 300;
    for (const { lanes } of index.tracks)
      for (const lane of lanes) {
        const told = visit(lane, index.first, index.last + 1, width).filter(({ kind }) => kind !== "gap");
        expect(told.length).toBeLessThanOrEqual(width);
        const covered = new Set<number>();
        for (const { x, width: wide } of told)
          for (let pixel = Math.floor(x); pixel < x + wide; pixel++) covered.add(pixel);
        const scale = width / (index.last + 1 - index.first);
        const missed = lane.slices.filter(
          ({ start }) => !covered.has(Math.floor((start - index.first) * scale)),
        );
        expect(missed).toEqual([]);
      }
  });
});
