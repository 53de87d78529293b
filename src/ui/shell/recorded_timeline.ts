/** Lays a recorded run's trace along its steps, so that a player can tell events when their step is played. */
import type { TraceEvent } from "../state/records.ts";

export interface RecordedTimeline {
  /** In the order in which they are told: by the moment they are over. */
  events: TraceEvent[];
  /** How many of them are over at a position, in steps. */
  countUntil(position: number): number;
}

/** When an event is over and can be told. */
function endOf(event: TraceEvent): number {
  if (event.kind === "slice") return event.end;
  return event.kind === "arrow" ? event.to.at : event.at;
}

function startOf(event: TraceEvent): number {
  if (event.kind === "slice") return event.start;
  return event.kind === "arrow" ? event.from.at : event.at;
}

/** Ends of the steps as the trainer's slices tell them; null where none of a step is left. */
function stepEnds(events: readonly TraceEvent[], length: number): (number | null)[] {
  const ends: (number | null)[] = new Array(length).fill(null);
  for (const event of events) {
    if (event.kind !== "slice" || event.track.split(" ")[0] !== "trainer") continue;
    const step = event.details?.step;
    if (typeof step !== "number" || step < 1 || step > length) continue;
    ends[step - 1] = Math.max(ends[step - 1] ?? Number.NEGATIVE_INFINITY, event.end);
  }
  return ends;
}

/** The moments at which step 0 (the start) to `length` are over: known ones kept, the others spread between them. */
export function stepMoments(trace: readonly TraceEvent[], length: number): number[] {
  const first = trace.reduce((least, event) => Math.min(least, startOf(event)), Number.POSITIVE_INFINITY);
  const last = trace.reduce((most, event) => Math.max(most, endOf(event)), Number.NEGATIVE_INFINITY);
  const known: (number | null)[] = [first, ...stepEnds(trace, length)];
  known[length] ??= last;
  let from = 0;
  for (let step = 1; step <= length; step++) {
    const reached = known[step];
    if (reached === null) continue;
    const start = known[from] ?? first;
    for (let between = from + 1; between < step; between++)
      known[between] = start + ((reached - start) * (between - from)) / (step - from);
    known[step] = Math.max(reached, start);
    from = step;
  }
  return known as number[];
}

export function timelineOf(trace: readonly TraceEvent[], length: number): RecordedTimeline {
  const events = [...trace].sort((a, b) => endOf(a) - endOf(b));
  if (events.length === 0 || length === 0) return { events, countUntil: () => events.length };
  const moments = stepMoments(events, length);
  const ends = events.map(endOf);
  return {
    events,
    countUntil(position) {
      if (position >= length) return events.length;
      const step = Math.floor(position);
      const moment = moments[step] + (position - step) * (moments[step + 1] - moments[step]);
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ends[middle] <= moment) low = middle + 1;
        else high = middle;
      }
      return low;
    },
  };
}
