/**
 * A run's timeline as Chrome trace events: a track per worker, slices, waits, arrows from what made something to what
 * used it, weight versions as marks across all tracks, below each worker with a GPU when that had work. Perfetto and
 * chrome://tracing read it.
 */

/** A moment on a track, in milliseconds of `traceClock`. */
export interface TraceMoment {
  track: string;
  at: number;
}

/** Plain data: workers gather these and post them to the thread that writes the trace. */
export type TraceEvent =
  | {
      kind: "slice";
      track: string;
      name: string;
      start: number;
      end: number;
      details?: Record<string, unknown>;
    }
  | { kind: "mark"; name: string; at: number }
  | { kind: "level"; name: string; at: number; value: number }
  | { kind: "arrow"; name: string; from: TraceMoment; to: TraceMoment };

/** Milliseconds that all of a machine's workers agree on. */
export function traceClock(): number {
  return performance.timeOrigin + performance.now();
}

/** What a worker did for a time; whoever knows its track makes a slice of it. */
export interface TraceSpan {
  name: string;
  start: number;
  end: number;
  details?: Record<string, unknown>;
}

/** Spans kept for one who never takes them. */
export const SPANS_KEPT = 10_000;

/** A worker's spans until they are sent along with what it reports anyway. */
export class SpanLog {
  private spans: TraceSpan[] = [];

  /** Notes what went on since `start`, and returns the moment now. */
  add(name: string, start: number, details?: Record<string, unknown>): number {
    const end = traceClock();
    this.place({ name, start, end, details });
    return end;
  }

  /** Notes what is known to have gone on between two moments. */
  place(...spans: readonly TraceSpan[]): void {
    for (const span of spans) if (this.spans.length < SPANS_KEPT) this.spans.push(span);
  }

  /** Everything since the last call. */
  take(): TraceSpan[] {
    const { spans } = this;
    this.spans = [];
    return spans;
  }
}

export function slicesOn(track: string, spans: readonly TraceSpan[]): TraceEvent[] {
  return spans.map((span) => ({ kind: "slice", track, ...span }));
}

/** The track of the queue of a worker's GPU: "GPU of generator 0", "GPU of the trainer". */
export function gpuTrackOf(worker: string): string {
  return `GPU of ${/\d$/.test(worker) ? "" : "the "}${worker}`;
}

/** The worker whose GPU a track is of; null for a track of no GPU. */
export function gpuOwnerOf(track: string): string | null {
  return /^GPU of (?:the )?(.+)$/.exec(track)?.[1] ?? null;
}

type ChromeEvent = Record<string, unknown>;

const process = 1;

/** Gathers events, the newest `capacity` of them, and writes them out. */
export class Trace {
  readonly #capacity: number;
  #events: TraceEvent[] = [];
  /** Events given up because there were too many. */
  dropped = 0;

  constructor(options: { capacity?: number } = {}) {
    this.#capacity = options.capacity ?? 200_000;
  }

  get size(): number {
    return this.#events.length;
  }

  add(...events: TraceEvent[]): void {
    for (const event of events) this.#events.push(event);
    // A tenth over the bound, then cut at once: an array is not shortened for each event.
    if (this.#events.length <= this.#capacity * 1.1) return;
    const surplus = this.#events.length - this.#capacity;
    this.#events = this.#events.slice(surplus);
    this.dropped += surplus;
  }

  /** Runs something and records it as a slice, also when it fails. */
  async measure<T>(track: string, name: string, action: () => T | Promise<T>): Promise<T> {
    const start = traceClock();
    try {
      return await action();
    } finally {
      this.add({ kind: "slice", track, name, start, end: traceClock() });
    }
  }

  /** The trace as JSON text; times start at the first event, whose own is in `otherData.origin`. */
  toJson(): string {
    const first = this.#events.reduce((least, event) => Math.min(least, startOf(event)), Infinity);
    const origin = Number.isFinite(first) ? first : 0;
    // Microseconds, to the nanosecond: what the format counts in.
    const time = (at: number) => Math.round((at - origin) * 1e6) / 1e3;
    const tracks = new Map<string, number>();
    const threadOf = (track: string) => {
      const known = tracks.get(track);
      if (known !== undefined) return known;
      tracks.set(track, tracks.size + 1);
      return tracks.size;
    };
    const written = this.#events.flatMap((event, index) => chromeEvents(event, index, time, threadOf));
    const names: ChromeEvent[] = [
      { ph: "M", name: "process_name", pid: process, tid: 0, args: { name: "webgrpo" } },
    ];
    for (const [name, tid] of tracks) {
      names.push({ ph: "M", name: "thread_name", pid: process, tid, args: { name } });
      const owner = tracks.get(gpuOwnerOf(name) ?? "");
      // Even numbers for workers, so that a GPU has room directly below its own.
      const args = { sort_index: owner === undefined ? 2 * tid : 2 * owner + 1 };
      names.push({ ph: "M", name: "thread_sort_index", pid: process, tid, args });
    }
    return JSON.stringify({
      displayTimeUnit: "ms",
      otherData: { droppedEvents: this.dropped, origin },
      traceEvents: [...names, ...written],
    });
  }
}

function startOf(event: TraceEvent): number {
  if (event.kind === "slice") return event.start;
  return event.kind === "arrow" ? event.from.at : event.at;
}

function chromeEvents(
  event: TraceEvent,
  index: number,
  time: (at: number) => number,
  threadOf: (track: string) => number,
): ChromeEvent[] {
  const { name } = event;
  switch (event.kind) {
    case "slice": {
      const ts = time(event.start);
      const dur = Math.max(0, Math.round((time(event.end) - ts) * 1e3) / 1e3);
      const [stage] = (gpuOwnerOf(event.track) ?? event.track).split(" ");
      const slice: ChromeEvent = {
        ph: "X",
        name,
        cat: stage,
        pid: process,
        tid: threadOf(event.track),
        ts,
        dur,
      };
      if (event.details) slice.args = event.details;
      return [slice];
    }
    case "mark":
      return [{ ph: "i", s: "p", name, cat: "mark", pid: process, tid: 0, ts: time(event.at) }];
    case "level":
      return [{ ph: "C", name, pid: process, tid: 0, ts: time(event.at), args: { value: event.value } }];
    case "arrow": {
      const common = { name, cat: "flow", id: index, pid: process };
      const { from, to } = event;
      // Bound to the slices that enclose both moments.
      return [
        { ...common, ph: "s", tid: threadOf(from.track), ts: time(from.at) },
        { ...common, ph: "f", bp: "e", tid: threadOf(to.track), ts: time(to.at) },
      ];
    }
  }
}

/** The share of a span of time that a track's slices of one name cover, for "waited 38 % of the last minute". */
export function coveredShare(
  events: readonly TraceEvent[],
  track: string,
  name: string,
  span: { from: number; to: number },
): number {
  let covered = 0;
  let reached = span.from;
  const slices = events.filter(
    (event) => event.kind === "slice" && event.track === track && event.name === name,
  );
  for (const slice of (slices as Extract<TraceEvent, { kind: "slice" }>[]).sort(
    (a, b) => a.start - b.start,
  )) {
    const start = Math.max(slice.start, reached);
    const end = Math.min(slice.end, span.to);
    if (end > start) {
      covered += end - start;
      reached = end;
    }
  }
  return span.to > span.from ? covered / (span.to - span.from) : 0;
}
