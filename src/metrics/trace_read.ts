/** Reads back the timeline that `Trace` wrote; other programs' traces are not promised to make sense. */
import { DataError } from "../errors.ts";
import type { TraceEvent, TraceMoment } from "./trace.ts";

/** The fields that `Trace` writes. */
interface ChromeEvent {
  ph: string;
  name: string;
  tid: number;
  ts: number;
  dur: number;
  id: number;
  args?: Record<string, unknown>;
}

interface ChromeTrace {
  otherData?: { origin?: number };
  traceEvents: ChromeEvent[];
}

/** The events in the order of the file, at the moments that they were recorded at. @throws DataError `runs/bad-trace` */
export function readTrace(text: string): TraceEvent[] {
  const { otherData, traceEvents } = parse(text);
  const origin = otherData?.origin ?? 0;
  const tracks = new Map<number, string>();
  for (const { ph, name, tid, args } of traceEvents)
    if (ph === "M" && name === "thread_name") tracks.set(tid, String(args?.name));
  const at = (microseconds: number) => origin + microseconds / 1000;
  const moment = ({ tid, ts }: ChromeEvent): TraceMoment => ({ track: tracks.get(tid) ?? "", at: at(ts) });
  const arrows = new Map<number, TraceMoment>();
  const events: TraceEvent[] = [];
  for (const event of traceEvents) {
    const { ph, name, ts, dur, id, args } = event;
    if (ph === "X") {
      const { track, at: start } = moment(event);
      events.push({ kind: "slice", track, name, start, end: at(ts + dur), ...(args && { details: args }) });
    } else if (ph === "i") events.push({ kind: "mark", name, at: at(ts) });
    else if (ph === "C") events.push({ kind: "level", name, at: at(ts), value: Number(args?.value) });
    else if (ph === "s") arrows.set(id, moment(event));
    else if (ph === "f") {
      const from = arrows.get(id);
      if (from) events.push({ kind: "arrow", name, from, to: moment(event) });
    }
  }
  return events;
}

function parse(text: string): ChromeTrace {
  const refuse = (found: string, cause?: unknown) =>
    new DataError("runs/bad-trace", `Cannot read the timeline: the text is ${found}`, {
      hint: "Name the trace.json of a run of this project.",
      cause,
    });
  let trace: unknown;
  try {
    trace = JSON.parse(text);
  } catch (cause) {
    throw refuse("no JSON", cause);
  }
  if (!Array.isArray((trace as ChromeTrace | null)?.traceEvents)) throw refuse("no trace");
  return trace as ChromeTrace;
}
