/**
 * Level of detail: a lane as what can be seen of it. Slices at least as wide as a pixel are told one by one; narrower ones
 * are gathered by pixel, and neighbouring pixels that look alike are told as one.
 */
import type { Lane } from "./lane.ts";
import type { Slice, Span } from "./trace_index.ts";

/** Slices narrower than this many pixels are gathered. */
export const NARROW = 1.5;
/** Shades of a gathered pixel, by how much of it is covered. */
const SHADES = 4;

export interface LaneVisitor {
  /** One slice, in pixels from the left edge of the view; it may begin before and end after the view. */
  slice(x: number, width: number, slice: Slice): void;
  /** Many: how much of the pixels is covered, 0 to 1, and whether by waits for the most part. */
  merged(x: number, width: number, covered: number, waits: boolean): void;
  /** Nothing between two slices; `next` ended it. */
  gap?(x: number, width: number, next: Slice): void;
}

/** Pixels that look alike and wait to be told. */
class Column {
  private x = 0;
  private work = 0;
  private wait = 0;
  private runX = 0;
  private runEnd = 0;
  private shade = 0;
  private waits = false;
  private readonly tell: LaneVisitor["merged"];

  constructor(tell: LaneVisitor["merged"]) {
    this.tell = tell;
  }

  add(x: number, width: number, wait: boolean): void {
    const column = Math.floor(x);
    if (column !== this.x) this.close();
    this.x = column;
    if (wait) this.wait += width;
    else this.work += width;
  }

  /** Tells what was gathered. */
  flush(): void {
    this.close();
    if (this.shade > 0) this.tell(this.runX, this.runEnd - this.runX, this.shade / SHADES, this.waits);
    this.shade = 0;
  }

  private close(): void {
    const covered = this.work + this.wait;
    if (covered === 0) return;
    const shade = Math.max(1, Math.ceil(Math.min(1, covered) * SHADES - 1e-9));
    const waits = this.wait > this.work;
    this.work = 0;
    this.wait = 0;
    if (this.shade === shade && this.waits === waits && this.runEnd === this.x) {
      this.runEnd = this.x + 1;
      return;
    }
    if (this.shade > 0) this.tell(this.runX, this.runEnd - this.runX, this.shade / SHADES, this.waits);
    this.runX = this.x;
    this.runEnd = this.x + 1;
    this.shade = shade;
    this.waits = waits;
  }
}

/** Walks what is in view of a lane from left to right. `width`: pixels that the view takes. */
export function visitLane(lane: Lane, view: Span, width: number, visitor: LaneVisitor): void {
  const scale = width / (view.to - view.from);
  const column = new Column(visitor.merged.bind(visitor));
  const { slices, starts, ends, waits, length } = lane;
  const begin = lane.firstEndingAfter(view.from);
  let reached = begin > 0 ? (ends[begin - 1] - view.from) * scale : Number.NaN;
  for (let i = begin; i < length; i++) {
    const x = (starts[i] - view.from) * scale;
    if (visitor.gap && x > 0 && x - reached >= NARROW) visitor.gap(reached, x - reached, slices[i]);
    if (x >= width) break;
    const wide = (ends[i] - starts[i]) * scale;
    reached = x + wide;
    if (wide < NARROW) {
      // A slice of no length still happened: it shows.
      column.add(x, Math.max(wide, 0.05), waits[i] === 1);
    } else {
      column.flush();
      visitor.slice(x, wide, slices[i]);
    }
  }
  column.flush();
}
