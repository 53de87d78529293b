/** How the tracks spent a span of time. */
import { isWait } from "./activities.ts";
import { firstEndingAfter, type Span, type TraceIndex, type Track } from "./trace_index.ts";

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
  const work: Span[] = [];
  const any: Span[] = [];
  for (const lane of track.lanes) {
    for (let i = firstEndingAfter(lane, span.from); i < lane.length && lane[i].start < span.to; i++) {
      const { name, start, end } = lane[i];
      const part = { from: Math.max(start, span.from), to: Math.min(end, span.to) };
      const activity = activities.get(name) ?? { name, wait: isWait(name), time: 0, count: 0 };
      activity.time += part.to - part.from;
      activity.count++;
      activities.set(name, activity);
      any.push(part);
      if (!activity.wait) work.push(part);
    }
  }
  const busy = covered(work);
  const taken = covered(any);
  return {
    track,
    busy,
    waiting: taken - busy,
    idle: Math.max(0, span.to - span.from - taken),
    activities: [...activities.values()].sort((a, b) => b.time - a.time),
  };
}

/** Milliseconds that spans cover, overlaps counted once. */
function covered(spans: Span[]): number {
  spans.sort((a, b) => a.from - b.from);
  let sum = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of spans) {
    if (to <= reached) continue;
    sum += to - Math.max(from, reached);
    reached = to;
  }
  return sum;
}
