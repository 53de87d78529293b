import { describe, expect, it } from "vitest";
import {
  HEAD,
  hit,
  laneTop,
  layoutOf,
  versionOf,
  versionStep,
} from "../../../../src/ui/views/timeline/layout.ts";
import { TraceIndex } from "../../../../src/ui/views/timeline/trace_index.ts";
import { syntheticTrace } from "./synthetic_trace.ts";

function synthetic(gpus = false): TraceIndex {
  const index = new TraceIndex();
  index.sync([
    ...syntheticTrace({ steps: 6, origin: 0, gpus }),
    { kind: "level", name: "queue", at: 10, value: 3 },
  ]);
  return index;
}

describe("layoutOf()", () => {
  it("lays tracks and levels below each other without overlap, larger for fingers", () => {
    const [wide, narrow] = [false, true].map((compact) => layoutOf(synthetic(), compact));
    for (const { rows, levels, height } of [wide, narrow]) {
      let reached = HEAD;
      for (const row of [...rows, ...levels]) {
        expect(row.y).toBeGreaterThanOrEqual(reached);
        reached = row.y + row.height;
      }
      expect(height).toBeGreaterThanOrEqual(reached);
    }
    expect(narrow.rows[0].laneHeight).toBeGreaterThan(wide.rows[0].laneHeight);
    // Names stand above.
    expect(narrow.rows[0].lanesY).toBeGreaterThan(narrow.rows[0].y);
    expect(wide.rows[0].lanesY).toBe(wide.rows[0].y);
  });

  it("lays a worker's GPU directly below it: nearer than the next worker and lower", () => {
    for (const compact of [false, true]) {
      const { rows, levels, height } = layoutOf(synthetic(true), compact);
      expect(rows.map(({ track }) => track.name)).toEqual([
        "generator 0",
        "GPU of generator 0",
        "generator 1",
        "GPU of generator 1",
        "verifier 0",
        "verifier 1",
        "trainer",
        "GPU of the trainer",
      ]);
      let reached = HEAD;
      for (const row of [...rows, ...levels]) {
        expect(row.y).toBeGreaterThanOrEqual(reached);
        reached = row.y + row.height;
      }
      expect(height).toBeGreaterThanOrEqual(reached);
      for (const [i, row] of rows.entries()) {
        if (!row.track.gpu) continue;
        const owner = rows[i - 1];
        expect(row.laneHeight).toBeLessThan(owner.laneHeight);
        // High enough for its words.
        expect(row.laneHeight).toBeGreaterThanOrEqual(14);
        if (!compact && i + 1 < rows.length)
          expect(row.y - (owner.y + owner.height)).toBeLessThan(rows[i + 1].y - (row.y + row.height));
      }
    }
  });

  it("gives workers the same room with and without GPUs", () => {
    for (const compact of [false, true]) {
      const [without, beside] = [false, true].map((gpus) => layoutOf(synthetic(gpus), compact));
      const workers = beside.rows.filter(({ track }) => !track.gpu);
      expect(workers.map(({ laneHeight }) => laneHeight)).toEqual(
        without.rows.map(({ laneHeight }) => laneHeight),
      );
    }
  });

  it("keeps many lanes of one track within a bounded height", () => {
    const index = new TraceIndex();
    index.sync(
      Array.from({ length: 9 }, (_, i) => ({
        kind: "slice" as const,
        track: "verifier 0",
        name: "verify",
        start: i,
        end: 50,
      })),
    );
    const [row] = layoutOf(index, false).rows;
    expect(row.lanes).toBe(9);
    expect(row.height).toBeLessThan(110);
  });
});

describe("hit()", () => {
  const index = synthetic(true);
  const layout = layoutOf(index, false);
  const view = { from: 0, to: 2000 };
  const width = 1000;

  it("finds each slice at its middle, and none in gaps or between tracks", () => {
    for (const row of layout.rows)
      for (const slice of row.track.slices.filter(({ end }) => end < 2000)) {
        const x = ((slice.start + slice.end) / 2 / 2000) * width;
        expect(hit(layout, x, laneTop(row, 0) + 5, view, width)).toBe(slice);
      }
    expect(hit(layout, 500, 3, view, width)).toBeNull();
    expect(hit(layout, 500, layout.rows[1].y + layout.rows[1].height + 4, view, width)).toBeNull();
  });

  it("forgives a few pixels beside a slice, not more", () => {
    const row = layout.rows.find(({ track }) => track.name === "verifier 0")!;
    const [first] = row.track.slices;
    const x = (first.start / 2000) * width;
    expect(hit(layout, x - 3, row.y + 5, view, width)).toBe(first);
    expect(hit(layout, x - 6, row.y + 5, view, width)).toBeNull();
  });
});

describe("versions", () => {
  it("are numbered in ones, twos, fives and tens, as many as there is room for", () => {
    expect(versionStep(10, 1000, 44)).toBe(1);
    expect(versionStep(40, 1000, 44)).toBe(2);
    expect(versionStep(100, 1000, 44)).toBe(5);
    expect(versionStep(900, 1000, 44)).toBe(50);
    expect(versionStep(0, 1000, 44)).toBe(1);
  });

  it("are told from other marks", () => {
    expect(versionOf("version 12")).toBe(12);
    expect(versionOf("paused")).toBeNull();
  });
});
