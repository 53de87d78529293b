/** Lays a recorded run's trace along its steps, so that a player can tell events when their step is played. */
import type { StageActivity, StageName, TraceEvent } from "../state/records.ts";

export interface RecordedTimeline {
  /** In the order in which they are told: by the moment they are over. */
  events: TraceEvent[];
  /** How many of them are over at a position, in steps. */
  countUntil(position: number): number;
  /** What the stages with a track were doing at a position; empty without a trace. */
  activityAt(position: number): Partial<Record<StageName, StageActivity>>;
}

type Slice = Extract<TraceEvent, { kind: "slice" }>;

/** Workers of one stage overlap, each by itself hardly does: this many slices back may still be going on. */
const OVERLAPPING = 16;
/** Tracks are called by their stage, with the worker's number behind it. */
const stageOf = ({ track }: Slice) => track.split(" ")[0];
const isWait = ({ name }: Slice) => /^(wait|pause|rest)/.test(name);

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
    if (event.kind !== "slice" || stageOf(event) !== "trainer") continue;
    const step = event.details?.step;
    if (typeof step !== "number" || step < 1 || step > length) continue;
    ends[step - 1] = Math.max(ends[step - 1] ?? Number.NEGATIVE_INFINITY, event.end);
  }
  return ends;
}

/** When the first step began; what lies before it is loading and the first evaluation. */
function firstStepStart(events: readonly TraceEvent[], otherwise: number): number {
  const starts = events.flatMap((event) =>
    event.kind === "slice" && stageOf(event) === "trainer" && event.details?.step === 1 ? [event.start] : [],
  );
  return starts.length === 0 ? otherwise : starts.reduce((least, start) => Math.min(least, start));
}

/** The moments at which step 0 (the start) to `length` are over: known ones kept, the others spread between them. */
export function stepMoments(trace: readonly TraceEvent[], length: number): number[] {
  const first = trace.reduce((least, event) => Math.min(least, startOf(event)), Number.POSITIVE_INFINITY);
  const last = trace.reduce((most, event) => Math.max(most, endOf(event)), Number.NEGATIVE_INFINITY);
  const known: (number | null)[] = [firstStepStart(trace, first), ...stepEnds(trace, length)];
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

/** How many of the rising numbers are at most a limit. */
function countUpTo(rising: readonly number[], limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What one stage does at a moment, by its slices in the order of their starts. */
function activityOf(slices: readonly Slice[], starts: readonly number[], moment: number): StageActivity {
  const until = countUpTo(starts, moment);
  const works = slices
    .slice(Math.max(0, until - OVERLAPPING), until)
    .some((slice) => slice.end >= moment && !isWait(slice));
  return works ? "busy" : "waiting";
}

export function timelineOf(trace: readonly TraceEvent[], length: number): RecordedTimeline {
  const events = [...trace].sort((a, b) => endOf(a) - endOf(b));
  if (events.length === 0 || length === 0)
    return { events, countUntil: () => events.length, activityAt: () => ({}) };
  const moments = stepMoments(events, length);
  const ends = events.map(endOf);
  const momentAt = (position: number) => {
    const step = Math.min(length - 1, Math.floor(position));
    return moments[step] + (position - step) * (moments[step + 1] - moments[step]);
  };
  const byStart = events.filter((event) => event.kind === "slice").sort((a, b) => a.start - b.start);
  const stages = (["generator", "verifier", "trainer"] as const).flatMap((stage) => {
    const slices = byStart.filter((slice) => stageOf(slice) === stage);
    return slices.length === 0 ? [] : [{ stage, slices, starts: slices.map(({ start }) => start) }];
  });
  return {
    events,
    countUntil: (position) => (position >= length ? events.length : countUpTo(ends, momentAt(position))),
    activityAt(position) {
      const moment = momentAt(position);
      return Object.fromEntries(
        stages.map(({ stage, slices, starts }) => [stage, activityOf(slices, starts, moment)]),
      );
    },
  };
}
