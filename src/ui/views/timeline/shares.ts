/** How the tracks spent a span of time. */
import type { Span, TraceIndex, Track } from "./trace_index.ts";

export interface ActivityShare {
  name: string;
  wait: boolean;
  /** Milliseconds within the span. */
  time: number;
  /** Slices that reach into it. */
  count: number;
}

export interface TrackShare {
  track: Track;
  /** Milliseconds with any slice that is no wait; with a wait and nothing else; with neither. */
  busy: number;
  waiting: number;
  idle: number;
  /** Longest first. */
  activities: ActivityShare[];
}

/** The span less what lies before the first or after the last event, of which nothing is known. */
export function known(index: TraceIndex, span: Span): Span {
  const from = Math.max(span.from, index.first);
  return { from, to: Math.max(from, Math.min(span.to, index.last)) };
}

export function sharesOf(index: TraceIndex, span: Span): TrackShare[] {
  return index.tracks.map((track) => shareOf(track, span));
}

export function shareOf(track: Track, span: Span): TrackShare {
  const activities = new Map<string, ActivityShare>();
  // Lanes do not overlap within themselves; only where there are several must overlaps be found.
  const nested = track.lanes.length > 1;
  const work: Span[] = [];
  const any: Span[] = [];
  for (const lane of track.lanes) {
    const { starts, ends, waits, slices } = lane;
    for (let i = lane.firstEndingAfter(span.from); i < lane.length && starts[i] < span.to; i++) {
      const from = Math.max(starts[i], span.from);
      const to = Math.min(ends[i], span.to);
      const { name } = slices[i];
      let activity = activities.get(name);
      if (!activity) {
        activity = { name, wait: waits[i] === 1, time: 0, count: 0 };
        activities.set(name, activity);
      }
      activity.time += to - from;
      activity.count++;
      if (!nested) continue;
      any.push({ from, to });
      if (!activity.wait) work.push({ from, to });
    }
  }
  const sorted = [...activities.values()].sort((a, b) => b.time - a.time);
  const sum = (some: ActivityShare[]) => some.reduce((total, { time }) => total + time, 0);
  const busy = nested ? covered(work) : sum(sorted.filter(({ wait }) => !wait));
  const taken = nested ? covered(any) : sum(sorted);
  return {
    track,
    busy,
    waiting: Math.max(0, taken - busy),
    idle: Math.max(0, span.to - span.from - taken),
    activities: sorted,
  };
}

/** Milliseconds that spans cover, overlaps counted once. */
function covered(spans: Span[]): number {
  spans.sort((a, b) => a.from - b.from);
  let total = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans) {
    if (to <= reached) continue;
    total += to - Math.max(from, reached);
    reached = to;
  }
  return total;
}
