/** Where tracks lie on the canvas, and what lies under a point. Pixels of CSS. */
import type { Lane } from "./lane.ts";
import type { Slice, Span, TraceIndex, Track } from "./trace_index.ts";

export interface Row {
  track: Track;
  /** As many as the track had when it was laid out. */
  lanes: number;
  /** Top of the row, and of its first lane below the name where names are above. */
  y: number;
  lanesY: number;
  laneHeight: number;
  height: number;
}

export interface LevelRow {
  name: string;
  y: number;
  /** Top of the curve, below the name where names are above. */
  curveY: number;
  height: number;
}

export interface Layout {
  rows: Row[];
  levels: LevelRow[];
  height: number;
  /** Names stand above their tracks, for narrow screens. */
  compact: boolean;
}

/** The scale of time, and the band of weight versions below it. */
export const RULER = 26;
export const VERSIONS = 20;
export const HEAD = RULER + VERSIONS;

const FEW = 4;
/** A GPU lies close to its worker, and is lower. */
const GPU_LANE = 16;
const GPU_BETWEEN = 3;
/** Lanes of one track share at most this height before they become thinner. */
const MOST_HEIGHT = 84;
const LEAST_LANE = 7;
const LANE_GAP = 2;

export function layoutOf(index: TraceIndex, compact: boolean): Layout {
  // A few tracks take the room that many would need.
  const lane = compact || index.tracks.filter(({ gpu }) => !gpu).length <= FEW ? 34 : 26;
  const between = compact ? 8 : 10;
  const name = compact ? 20 : 0;
  let y = HEAD + (compact ? 2 : 8);
  const rows = index.tracks.map((track, i): Row => {
    // Names that stand above keep the two apart.
    if (track.gpu && i > 0 && !compact) y -= between - GPU_BETWEEN;
    const count = track.lanes.length;
    const most = track.gpu ? GPU_LANE : lane;
    const laneHeight =
      count === 1 ? most : Math.max(LEAST_LANE, Math.min(most, Math.floor(MOST_HEIGHT / count)));
    const height = name + count * laneHeight + (count - 1) * LANE_GAP;
    const row = { track, lanes: count, y, lanesY: y + name, laneHeight, height };
    y += height + between;
    return row;
  });
  const levels = [...index.levels.keys()].sort().map((levelName): LevelRow => {
    const row = { name: levelName, y, curveY: y + name, height: name + lane };
    y += row.height + between;
    return row;
  });
  return { rows, levels, height: y + 2, compact };
}

export function laneTop(row: Row, lane: number): number {
  return row.lanesY + lane * (row.laneHeight + LANE_GAP);
}

/** How near to a slice too narrow to hit the pointer must be. */
const NEAR = 4;

export function hit(layout: Layout, x: number, y: number, view: Span, width: number): Slice | null {
  const row = layout.rows.find((candidate) => y >= candidate.y && y < candidate.y + candidate.height);
  if (!row) return null;
  const lane = row.track.lanes.findIndex((_, i) => {
    const top = laneTop(row, i);
    return y >= top - LANE_GAP && y < top + row.laneHeight + LANE_GAP;
  });
  return lane < 0 ? null : nearest(row.track.lanes[lane], x, view, width);
}

function nearest(lane: Lane, x: number, view: Span, width: number): Slice | null {
  const perPixel = (view.to - view.from) / width;
  const at = view.from + x * perPixel;
  const next = lane.firstEndingAfter(at);
  let best: Slice | null = null;
  let least = NEAR * perPixel;
  for (const slice of [lane.slices[next - 1], lane.slices[next]]) {
    if (!slice) continue;
    const away = Math.max(0, slice.start - at, at - slice.end);
    if (away < least) {
      best = slice;
      least = away;
    }
  }
  return best;
}

/** Weight versions that get a number: every one, every second, fifth, tenth, … so that numbers keep `spacing` pixels. */
export function versionStep(count: number, pixels: number, spacing: number): number {
  const wanted = count === 0 ? 1 : (count * spacing) / Math.max(pixels, 1);
  for (let step = 1; ; step *= 10)
    for (const factor of [1, 2, 5]) if (step * factor >= wanted) return step * factor;
}

/** N of the mark `version N`; null for another mark. */
export function versionOf(name: string): number | null {
  const match = /^version (\d+)$/.exec(name);
  return match ? Number(match[1]) : null;
}
