/** The trace outside the page: as a file for Perfetto, and on the tracks of Chrome's DevTools. */
import { effect, signal } from "@preact/signals";
import { Trace, type TraceEvent } from "../../../metrics/trace.ts";
import { saveFile } from "../../session/save_file.ts";
import { feed } from "../../state/app.ts";
import { colourStage, isWait, labelOf } from "./activities.ts";
import type { Slice } from "./trace_index.ts";

/** So many arguments go into one call without reaching an engine's bound. */
const AT_ONCE = 1000;

export function chromeTrace(events: readonly TraceEvent[]): string {
  const trace = new Trace({ capacity: Number.POSITIVE_INFINITY });
  for (let i = 0; i < events.length; i += AT_ONCE) trace.add(...events.slice(i, i + AT_ONCE));
  return trace.toJson();
}

export function downloadTrace(events: readonly TraceEvent[]): void {
  saveFile(new Blob([chromeTrace(events)], { type: "application/json" }), "trace.json");
}

// DevTools names its colours; stages get those nearest to their own.
const DEVTOOLS_COLOUR: Readonly<Record<string, string>> = {
  tasks: "tertiary-dark",
  generator: "primary",
  verifier: "warning",
  trainer: "error",
  weights: "secondary-dark",
};

/** Options of `performance.measure` for one slice, or null for one from before the page was loaded. */
export function measureOf(slice: Slice, timeOrigin: number): PerformanceMeasureOptions | null {
  const start = slice.start - timeOrigin;
  if (start < 0) return null;
  const stage = colourStage(slice.track, slice.name);
  return {
    start,
    end: Math.max(start, slice.end - timeOrigin),
    detail: {
      devtools: {
        dataType: "track-entry",
        trackGroup: "webgrpo",
        track: slice.track,
        color: isWait(slice.name) ? "secondary-light" : (DEVTOOLS_COLOUR[stage ?? ""] ?? "secondary"),
        properties: Object.entries(slice.details ?? {}).map(([name, value]) => [name, String(value)]),
      },
    },
  };
}

/** Whether slices are mirrored to DevTools as they come; stays on when another view is opened. */
export const mirrored = signal(false);
let stop: (() => void) | null = null;

export function setMirrored(on: boolean): void {
  mirrored.value = on;
  stop?.();
  stop = on ? mirror() : null;
}

function mirror(): () => void {
  let newest: TraceEvent | undefined = feed.peek().trace.at(-1);
  return effect(() => {
    feed.value.changed.value;
    const { trace } = feed.value;
    // An array may have been cut at its front: what is new comes after the event that was the newest.
    const begin = newest ? trace.lastIndexOf(newest) + 1 : 0;
    for (const event of trace.slice(begin)) if (event.kind === "slice") measure(event);
    newest = trace.at(-1);
  });
}

function measure(slice: Slice): void {
  const options = measureOf(slice, performance.timeOrigin);
  if (!options) return;
  const name = labelOf(slice);
  performance.measure(name, options);
  // DevTools has it by now; the page's own list of entries would grow without bound.
  performance.clearMeasures(name);
}
