/** What is in view and what is pointed at; the canvas draws it, the buttons and keys change it. Knows no DOM. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { TraceEvent } from "../../../metrics/trace.ts";
import { type Slice, type Span, TraceIndex } from "./trace_index.ts";
import { atEnd, clamp, MINUTE, newest, overall, pan, reveal, zoom } from "./viewport.ts";
import { type Direction, walk } from "./walk.ts";

const NOTHING: Span = { from: 0, to: 1 };

const STEPS_IN_VIEW = 4.5;
const FIRST_MARKS = 8;
const LEAST_NATURAL = 200;

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
  private opened = false;
  /** Whether someone chose how much time is in view. */
  private ownScale = false;
  private naturalLength = 0;

  /** Everything that is kept. */
  get whole(): Span {
    const { empty, first, last } = this.index;
    return empty ? NOTHING : { from: first, to: Math.max(last, first + 1) };
  }

  /** Takes what is new of the trace. `live`: more will come, so the first view follows it. */
  take(events: readonly TraceEvent[], live: boolean): void {
    if (!this.index.sync(events)) return;
    if (!this.opened && !this.index.empty) {
      this.opened = true;
      this.follow.value = live;
      this.set(newest(this.whole, this.natural()), false);
    } else if (this.follow.value) {
      this.set(
        this.ownScale ? atEnd(this.current.value, this.whole) : newest(this.whole, this.natural()),
        true,
      );
    } else {
      // The player may have gone back to where less had happened.
      this.set(this.current.value, false);
    }
    const { selected, index } = this;
    if (selected.value && (selected.value.end < index.first || selected.value.start > index.last))
      selected.value = null;
    this.grown.value++;
  }

  /** @param at across the view, 0 to 1 */
  zoom(factor: number, at = 0.5, glides = true): void {
    this.ownScale = true;
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
    this.ownScale = true;
    this.set(view, false);
  }

  /** Puts a moment into the middle of the view. */
  centre(at: number): void {
    const { from, to } = this.view.value;
    this.follow.value = false;
    this.set(pan(this.view.value, at - (from + to) / 2), false);
  }

  fit(): void {
    this.ownScale = true;
    this.follow.value = false;
    this.set(overall(this.whole), true);
  }

  lastMinute(): void {
    this.ownScale = true;
    this.set(newest(this.whole, MINUTE), true);
  }

  setFollow(on: boolean): void {
    this.follow.value = on;
    if (on) this.set(atEnd(this.view.value, this.whole), true);
  }

  select(slice: Slice | null, shows = false): void {
    this.selected.value = slice;
    if (!slice) return;
    // What is being looked at does not run away.
    this.follow.value = false;
    if (!shows) return;
    const view = reveal(this.view.value, { from: slice.start, to: slice.end });
    if (view !== this.view.value) this.set(view, true);
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

  /** A few optimiser steps, so that what they are made of can be read; a minute where that is less. */
  private natural(): number {
    const { marks } = this.index;
    if (marks.length < 3) return this.naturalLength || MINUTE;
    // Later steps do not change the scale under the reader's eyes.
    if (this.naturalLength === 0 || marks.length <= FIRST_MARKS) {
      const recent = marks.slice(-FIRST_MARKS);
      const step = (recent[recent.length - 1].at - recent[0].at) / (recent.length - 1);
      this.naturalLength = Math.min(MINUTE, Math.max(LEAST_NATURAL, step * STEPS_IN_VIEW));
    }
    return this.naturalLength;
  }

  private set(view: Span, glides: boolean): void {
    this.glides = glides;
    this.current.value = clamp(view, this.whole);
  }
}
