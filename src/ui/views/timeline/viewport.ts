/** The span of time in view: moving it, and the scale above it. */
import type { Span } from "./trace_index.ts";

/** The narrowest view, milliseconds. */
const LEAST = 0.5;
/** Room at the sides of a view of everything, as a share of it. */
const ROOM = 0.015;
export const MINUTE = 60_000;

export function overall(whole: Span): Span {
  const room = Math.max(whole.to - whole.from, LEAST) * ROOM;
  return { from: whole.from - room, to: whole.to + room };
}

/** The view of the same length that ends with the newest. */
export function atEnd(view: Span, whole: Span): Span {
  const length = view.to - view.from;
  const to = whole.to + length * ROOM;
  return { from: to - length, to };
}

/** The last `length` milliseconds, or everything where there is less. */
export function newest(whole: Span, length: number): Span {
  if (whole.to - whole.from <= length) return overall(whole);
  return atEnd({ from: 0, to: length }, whole);
}

/** Keeps a view within reach of what there is: at least a quarter of it shows something. */
export function clamp(view: Span, whole: Span): Span {
  const all = overall(whole);
  const length = Math.min(Math.max(view.to - view.from, LEAST), all.to - all.from);
  const spare = length * 0.75;
  let from = view.from + (view.to - view.from - length) / 2;
  // A view that could hold everything has nowhere to go.
  if (length >= all.to - all.from) return all;
  from = Math.min(Math.max(from, all.from - spare), all.to - length + spare);
  return { from, to: from + length };
}

/** Shows `factor` times as much; `at` (0 to 1 across the view) stays where it is. */
export function zoom(view: Span, factor: number, at = 0.5): Span {
  const length = view.to - view.from;
  const fixed = view.from + at * length;
  return { from: fixed - at * length * factor, to: fixed + (1 - at) * length * factor };
}

export function pan(view: Span, by: number): Span {
  return { from: view.from + by, to: view.to + by };
}

/** Moves a view by as little as shows a span, with a margin; zooms out for one that is longer. */
export function reveal(view: Span, span: Span): Span {
  const length = view.to - view.from;
  const margin = length * 0.08;
  if (span.to - span.from > length - 2 * margin) {
    const room = (span.to - span.from) * 0.1;
    return { from: span.from - room, to: span.to + room };
  }
  if (span.from < view.from + margin) return pan(view, span.from - margin - view.from);
  if (span.to > view.to - margin) return pan(view, span.to + margin - view.to);
  return view;
}

export interface Tick {
  at: number;
  label: string;
}

// Steps that divide minutes and seconds evenly.
const STEPS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3,
  600e3, 1.2e6, 1.8e6, 3.6e6, 7.2e6, 14.4e6, 21.6e6, 43.2e6, 86.4e6,
];

/** Round moments across a view, counted from `origin`, at most one in `spacing` pixels. */
export function ticks(view: Span, width: number, origin: number, spacing = 96): Tick[] {
  const perTick = ((view.to - view.from) / width) * spacing;
  const step =
    STEPS.find((candidate) => candidate >= perTick) ?? STEPS[STEPS.length - 1] * Math.ceil(perTick / 86.4e6);
  const marks: Tick[] = [];
  for (let n = Math.ceil((view.from - origin) / step); origin + n * step <= view.to; n++) {
    if (n >= 0) marks.push({ at: origin + n * step, label: clock(n * step, step) });
  }
  return marks;
}

/** A moment since the beginning, as exact as `step` needs: "12.5 s", "1:05", "2:03:00". */
export function clock(ms: number, step: number): string {
  const digits = step >= 1000 ? 0 : Math.min(4, Math.ceil(-Math.log10(step / 1000) - 1e-9));
  if (ms < 60_000 - step / 2) return `${(ms / 1000).toFixed(digits)}\u00a0s`;
  const hours = Math.floor(ms / 3.6e6);
  const minutes = Math.floor((ms % 3.6e6) / 60_000);
  const seconds = ((ms % 60_000) / 1000).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A length of time to three figures: "340 µs", "12.4 ms", "1.25 s", "3 min 20 s"; the spaces do not break. */
export function length(ms: number): string {
  if (ms === 0) return "0\u00a0s";
  if (ms < 0.9995) return `${Math.round(ms * 1000)}\u00a0µs`;
  if (ms < 999.5) return `${figures(ms)}\u00a0ms`;
  if (ms < 59_950) return `${figures(ms / 1000)}\u00a0s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}\u00a0min\u00a0${seconds % 60}\u00a0s`;
}

function figures(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
