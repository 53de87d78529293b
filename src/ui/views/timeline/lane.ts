/**
 * Slices that do not overlap, in order of time. Times lie in columns beside the events: a frame may walk tens of thousands
 * of them, and following as many objects would take longer than drawing.
 */
import { isWait } from "./activities.ts";
import type { Slice } from "./trace_index.ts";

export class Lane {
  readonly slices: Slice[] = [];
  starts = new Float64Array(64);
  ends = new Float64Array(64);
  /** 1 for a wait. */
  waits = new Uint8Array(64);

  get length(): number {
    return this.slices.length;
  }

  /** The slice begins after all others have ended. */
  push(slice: Slice): void {
    const at = this.slices.push(slice) - 1;
    if (at === this.starts.length) {
      this.starts = longer(this.starts, new Float64Array(2 * at));
      this.ends = longer(this.ends, new Float64Array(2 * at));
      this.waits = longer(this.waits, new Uint8Array(2 * at));
    }
    this.starts[at] = slice.start;
    this.ends[at] = slice.end;
    this.waits[at] = isWait(slice.name) ? 1 : 0;
  }

  /** Index of the first slice that ends after a moment; `length` where none does. */
  firstEndingAfter(at: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ends[middle] > at) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  holds(slice: Slice): boolean {
    const near = this.firstEndingAfter(slice.start);
    return this.slices[near] === slice || this.slices[near - 1] === slice;
  }
}

function longer<T extends Float64Array | Uint8Array>(old: T, room: T): T {
  room.set(old);
  return room;
}
