/** Walking from slice to slice with the keyboard. */
import { isWait } from "./activities.ts";
import { firstAbove, type Slice, type Span, type TraceIndex, type Track } from "./trace_index.ts";

export type Direction = "left" | "right" | "up" | "down" | "first" | "last";

/** The slice to go to; the same where there is none that way, null in an empty trace. */
export function walk(index: TraceIndex, from: Slice | null, direction: Direction, view: Span): Slice | null {
  if (index.empty) return null;
  const track = from ? index.track(from.track) : undefined;
  if (!from || !track) return nearestTo(index.tracks[0], (view.from + view.to) / 2);
  if (direction === "up" || direction === "down") {
    const place = index.tracks.indexOf(track) + (direction === "up" ? -1 : 1);
    const middle = (Math.max(from.start, view.from) + Math.min(from.end, view.to)) / 2;
    return nearestTo(index.tracks[place], middle) ?? from;
  }
  const { slices } = track;
  if (direction === "first") return slices[0];
  if (direction === "last") return slices[slices.length - 1];
  const place = slices.indexOf(
    from,
    Math.max(0, firstAbove(slices, from.start, ({ start }) => start) - sameStart(slices, from)),
  );
  return slices[place + (direction === "left" ? -1 : 1)] ?? from;
}

/** How many slices start at the same moment as one. */
function sameStart(slices: readonly Slice[], { start }: Slice): number {
  const end = firstAbove(slices, start, (slice) => slice.start);
  let begin = end;
  while (begin > 0 && slices[begin - 1].start === start) begin--;
  return end - begin;
}

/** The slice at a moment or the one nearest to it; work rather than a wait that touches it. */
function nearestTo(track: Track | undefined, at: number): Slice | null {
  const lane = track?.lanes[0];
  if (!lane || lane.length === 0) return null;
  const next = lane.firstEndingAfter(at);
  const near = [lane.slices[next - 1], lane.slices[next]].filter((slice) => slice !== undefined);
  const away = (slice: Slice) => Math.max(0, slice.start - at, at - slice.end);
  return near.reduce((best, slice) =>
    away(slice) < away(best) || (away(slice) === away(best) && isWait(best.name)) ? slice : best,
  );
}
