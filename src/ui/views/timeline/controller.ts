/** What is in view and what is pointed at; the canvas draws it, the buttons and keys change it. Knows no DOM. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { TraceEvent } from "../../../metrics/trace.ts";
import { type Slice, type Span, TraceIndex } from "./trace_index.ts";
import { atEnd, clamp, MINUTE, newest, overall, pan, reveal, zoom } from "./viewport.ts";
import { type Direction, walk } from "./walk.ts";

const NOTHING: Span = { from: 0, to: 1 };

export class TimelineController {
  readonly index = new TraceIndex();
  private readonly current = signal<Span>(NOTHING);
  /** Where the view is or glides to. */
  readonly view: ReadonlySignal<Span> = this.current;
  /** Whether the last change of the view is to be seen as a movement. */
  glides = false;
  readonly follow = signal(false);
  readonly selected = signal<Slice | null>(null);
  readonly hovered = signal<Slice | null>(null);
  readonly allArrows = signal(false);
  /** Bumped when the trace grew. */
  readonly grown = signal(0);
  private shown = false;

  /** Everything that is kept. */
  get whole(): Span {
    const { empty, first, last } = this.index;
    return empty ? NOTHING : { from: first, to: Math.max(last, first + 1) };
  }

  /** Takes what is new of the trace. `live`: more will come, so the first view follows it. */
  take(events: readonly TraceEvent[], live: boolean): void {
    if (!this.index.sync(events)) return;
    if (!this.shown && !this.index.empty) {
      this.shown = true;
      this.follow.value = live;
      this.set(newest(this.whole, MINUTE), false);
    } else if (this.follow.value) {
      // A run that has just begun fills the view until there is a minute of it.
      const { from, to } = this.current.value;
      const short = this.whole.to - this.whole.from < MINUTE && to - from < MINUTE && from <= this.whole.from;
      this.set(short ? overall(this.whole) : atEnd(this.current.value, this.whole), true);
    }
    if (this.selected.value && this.selected.value.end < this.index.first) this.selected.value = null;
    this.grown.value++;
  }

  /** @param at across the view, 0 to 1 */
  zoom(factor: number, at = 0.5, glides = true): void {
    // While the newest is followed it stays at the right edge.
    this.set(zoom(this.view.value, factor, this.follow.value ? 1 : at), glides);
  }

  /** @param share of the view's length; negative towards the past */
  pan(share: number, glides = true): void {
    this.follow.value = false;
    const { from, to } = this.view.value;
    this.set(pan(this.view.value, share * (to - from)), glides);
  }

  /** Shows a span that was measured elsewhere, as a pinch does. */
  place(view: Span): void {
    this.follow.value = false;
    this.set(view, false);
  }

  fit(): void {
    this.follow.value = false;
    this.set(overall(this.whole), true);
  }

  lastMinute(): void {
    this.set(newest(this.whole, MINUTE), true);
  }

  setFollow(on: boolean): void {
    this.follow.value = on;
    if (on) this.set(atEnd(this.view.value, this.whole), true);
  }

  select(slice: Slice | null, shows = false): void {
    this.selected.value = slice;
    if (!slice || !shows) return;
    const view = reveal(this.view.value, { from: slice.start, to: slice.end });
    if (view === this.view.value) return;
    this.follow.value = false;
    this.set(view, true);
  }

  walk(direction: Direction): Slice | null {
    const slice = walk(this.index, this.selected.value, direction, this.view.value);
    this.select(slice, true);
    return slice;
  }

  /** Goes along the selected slice's first arrow: to what used it, else to what it was made of. */
  followArrow(): boolean {
    const slice = this.selected.value;
    if (!slice) return false;
    const [out] = this.index.leaving(slice);
    const [into] = this.index.reaching(slice);
    const end = out?.to ?? into?.from;
    const target = end && this.index.sliceAt(end.track, end.at);
    if (!target) return false;
    this.select(target, true);
    return true;
  }

  /** Across the view, 0 to 1: the selected slice where it is in view, else the middle. */
  focusPoint(): number {
    const slice = this.selected.value;
    const { from, to } = this.view.value;
    const at = slice ? ((slice.start + slice.end) / 2 - from) / (to - from) : 0.5;
    return at > 0 && at < 1 ? at : 0.5;
  }

  private set(view: Span, glides: boolean): void {
    this.glides = glides;
    this.current.value = clamp(view, this.whole);
  }
}
