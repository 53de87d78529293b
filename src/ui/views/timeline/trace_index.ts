/**
 * A trace, arranged for drawing: slices by track and lane, in order of time, so that what is in view is found by binary
 * search. Takes only what is new of a growing array; begins anew when it is given another array.
 */
import { gpuOwnerOf, type TraceEvent } from "../../../metrics/trace.ts";
import type { StageName } from "../../state/records.ts";
import { compareTracks, stageOf } from "./activities.ts";
import { Lane } from "./lane.ts";

export type Slice = Extract<TraceEvent, { kind: "slice" }>;
export type Mark = Extract<TraceEvent, { kind: "mark" }>;
export type Arrow = Extract<TraceEvent, { kind: "arrow" }>;
export type Level = Extract<TraceEvent, { kind: "level" }>;

/** A span of time, milliseconds. */
export interface Span {
  from: number;
  to: number;
}

export interface Track {
  readonly name: string;
  readonly stage: StageName | null;
  /** Of the queue of a worker's GPU. */
  readonly gpu: boolean;
  /** By start; of two that start together the longer first. */
  slices: Slice[];
  /** Slices of a lane do not overlap, so they are in order of their ends as well. */
  lanes: Lane[];
}

/** Clocks of two threads and sums of durations differ by this much without meaning an overlap, in milliseconds. */
const TOLERANCE = 0.05;

/** The first index whose key is greater than `bound`; keys ascend. */
export function firstAbove<T>(items: readonly T[], bound: number, key: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key(items[middle]) > bound) high = middle;
    else low = middle + 1;
  }
  return low;
}

const momentOf = (event: { at: number }) => event.at;
const departureOf = (arrow: Arrow) => arrow.from.at;
const arrivalOf = (arrow: Arrow) => arrow.to.at;

/** Keeps the array in order; new events nearly always belong at its end. */
function insert<T>(items: T[], item: T, key: (item: T) => number): void {
  if (items.length === 0 || key(items[items.length - 1]) <= key(item)) items.push(item);
  else items.splice(firstAbove(items, key(item), key), 0, item);
}

export class TraceIndex {
  /** In the order of the loop. */
  tracks: Track[] = [];
  marks: Mark[] = [];
  readonly levels = new Map<string, Level[]>();
  /** Of all slices. */
  readonly names = new Set<string>();
  /** Where the clock that is shown begins; stays when the oldest events are given up. */
  origin = Number.POSITIVE_INFINITY;
  /** First and last moment that is kept; from > to while there is nothing. */
  first = Number.POSITIVE_INFINITY;
  last = Number.NEGATIVE_INFINITY;
  private source: readonly TraceEvent[] | null = null;
  private read = 0;
  private readonly byName = new Map<string, Track>();
  private departures: Arrow[] = [];
  private arrivals: Arrow[] = [];

  get empty(): boolean {
    return this.tracks.length === 0;
  }

  /** Takes what was appended since the last call. Returns whether anything changed. */
  sync(events: readonly TraceEvent[]): boolean {
    const anew = events !== this.source || events.length < this.read;
    if (anew) this.clear();
    if (!anew && events.length === this.read) return false;
    this.source = events;
    const disordered = new Set<Track>();
    for (; this.read < events.length; this.read++) this.add(events[this.read], disordered);
    for (const track of disordered) arrange(track);
    this.origin = Math.min(this.origin, this.first);
    return true;
  }

  track(name: string): Track | undefined {
    return this.byName.get(name);
  }

  /** Arrows that leave a slice. */
  leaving(slice: Slice): Arrow[] {
    return within(this.departures, slice, departureOf).filter(({ from }) => from.track === slice.track);
  }

  /** Arrows that end at a slice. */
  reaching(slice: Slice): Arrow[] {
    return within(this.arrivals, slice, arrivalOf).filter(({ to }) => to.track === slice.track);
  }

  /** Arrows of which some part lies in the span. */
  arrowsIn({ from, to }: Span): Arrow[] {
    const count = firstAbove(this.departures, to, departureOf);
    return this.departures.slice(0, count).filter((arrow) => arrow.to.at >= from);
  }

  /** The slice of a track at a moment, the innermost where several are; null in a gap. */
  sliceAt(trackName: string, at: number): Slice | null {
    const lanes = this.byName.get(trackName)?.lanes ?? [];
    for (let lane = lanes.length - 1; lane >= 0; lane--) {
      const slice = lanes[lane].slices[lanes[lane].firstEndingAfter(at - TOLERANCE)];
      if (slice && slice.start <= at + TOLERANCE) return slice;
    }
    return null;
  }

  private clear(): void {
    this.tracks = [];
    this.marks = [];
    this.departures = [];
    this.arrivals = [];
    this.levels.clear();
    this.names.clear();
    this.byName.clear();
    this.first = Number.POSITIVE_INFINITY;
    this.last = Number.NEGATIVE_INFINITY;
    this.read = 0;
  }

  private add(event: TraceEvent, disordered: Set<Track>): void {
    switch (event.kind) {
      case "slice": {
        const track = this.trackOf(event.track);
        const newest = track.slices.at(-1);
        if (!newest || comesAfter(event, newest)) {
          track.slices.push(event);
          if (!disordered.has(track)) place(track, event);
        } else {
          track.slices.push(event);
          disordered.add(track);
        }
        this.names.add(event.name);
        this.reach(event.start, event.end);
        break;
      }
      case "mark":
        insert(this.marks, event, momentOf);
        this.reach(event.at, event.at);
        break;
      case "level": {
        const row = this.levels.get(event.name) ?? [];
        this.levels.set(event.name, row);
        insert(row, event, momentOf);
        break;
      }
      case "arrow":
        insert(this.departures, event, departureOf);
        insert(this.arrivals, event, arrivalOf);
        break;
    }
  }

  private reach(from: number, to: number): void {
    this.first = Math.min(this.first, from);
    this.last = Math.max(this.last, to);
  }

  private trackOf(name: string): Track {
    let track = this.byName.get(name);
    if (!track) {
      track = { name, stage: stageOf(name), gpu: gpuOwnerOf(name) !== null, slices: [], lanes: [new Lane()] };
      this.byName.set(name, track);
      this.tracks = [...this.tracks, track].sort((a, b) => compareTracks(a.name, b.name));
    }
    return track;
  }
}

function comesAfter(slice: Slice, other: Slice): boolean {
  return slice.start > other.start || (slice.start === other.start && slice.end <= other.end);
}

/** Puts a slice that starts last into the first lane where it fits. */
function place(track: Track, slice: Slice): void {
  let lane = track.lanes.find(
    ({ length, ends }) => length === 0 || ends[length - 1] <= slice.start + TOLERANCE,
  );
  if (!lane) {
    lane = new Lane();
    track.lanes.push(lane);
  }
  lane.push(slice);
}

/** Sorts a track that got a slice from before its newest one: an enclosing slice is told after what it encloses. */
function arrange(track: Track): void {
  track.slices.sort((a, b) => a.start - b.start || b.end - a.end);
  track.lanes = [new Lane()];
  for (const slice of track.slices) place(track, slice);
}

function within(arrows: readonly Arrow[], slice: Slice, key: (arrow: Arrow) => number): Arrow[] {
  const begin = firstAbove(arrows, slice.start - TOLERANCE, key);
  const end = firstAbove(arrows, slice.end + TOLERANCE, key);
  return arrows.slice(begin, end);
}
