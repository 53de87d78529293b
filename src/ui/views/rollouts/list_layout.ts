/** Where headers and completions lie in the list, so that only what is in sight is drawn. */
import type { RolloutRow } from "../../state/records.ts";
import type { ShownGroup } from "./filter_scan.ts";

export interface ListMetrics {
  header: number;
  row: number;
}

export interface ListItem {
  shown: ShownGroup;
  /** Absent for a group's header. */
  row?: RolloutRow;
  /** Place among the completions, from 0; of a header: its first completion's. */
  place: number;
  top: number;
  height: number;
}

/** Headers and completions in order, with their tops in pixels. */
export class ListLayout {
  readonly height: number;
  /** Completions in order. */
  readonly rows: readonly RolloutRow[];
  private readonly groups: readonly ShownGroup[];
  private readonly metrics: ListMetrics;
  /** Top of each group's header, and the end. */
  private readonly tops: Float64Array;
  /** Place of each group's first completion, and their number. */
  private readonly places: Uint32Array;
  private placeById: Map<number, number> | null = null;

  constructor(groups: readonly ShownGroup[], metrics: ListMetrics) {
    this.groups = groups;
    this.metrics = metrics;
    this.tops = new Float64Array(groups.length + 1);
    this.places = new Uint32Array(groups.length + 1);
    const rows: RolloutRow[] = [];
    groups.forEach((group, i) => {
      rows.push(...group.rows);
      this.tops[i + 1] = this.tops[i] + metrics.header + group.rows.length * metrics.row;
      this.places[i + 1] = rows.length;
    });
    this.rows = rows;
    this.height = this.tops[groups.length];
  }

  /** Groups that a window from `top` on touches, headers and the completions in it; whole groups at the edges are cut. */
  within(top: number, height: number): ListItem[] {
    const items: ListItem[] = [];
    const bottom = top + height;
    for (let i = this.groupAt(top); i < this.groups.length && this.tops[i] < bottom; i++) {
      const shown = this.groups[i];
      const { header, row: rowHeight } = this.metrics;
      const first = this.tops[i] + header;
      // The header stays drawn while any of its completions is, because it names them.
      items.push({ shown, place: this.places[i], top: this.tops[i], height: header });
      const from = Math.max(0, Math.floor((top - first) / rowHeight));
      const to = Math.min(shown.rows.length, Math.ceil((bottom - first) / rowHeight));
      for (let k = from; k < to; k++)
        items.push({
          shown,
          row: shown.rows[k],
          place: this.places[i] + k,
          top: first + k * rowHeight,
          height: rowHeight,
        });
    }
    return items;
  }

  /** Place of a completion among those shown; −1 where it is not. */
  placeOf(id: number): number {
    this.placeById ??= new Map(this.rows.map((row, place) => [row.id, place]));
    return this.placeById.get(id) ?? -1;
  }

  /** Top of a completion; with its header's where it is the first of its group. */
  extentOf(place: number): { top: number; bottom: number } {
    const i = this.groupOfPlace(place);
    const within = place - this.places[i];
    const top = this.tops[i] + this.metrics.header + within * this.metrics.row;
    return { top: within === 0 ? this.tops[i] : top, bottom: top + this.metrics.row };
  }

  /** Place of the first completion of the group before or after the one at `place`; at the ends, of the end. */
  neighbourGroup(place: number, direction: 1 | -1): number {
    const i = Math.max(0, Math.min(this.groups.length - 1, this.groupOfPlace(place) + direction));
    return this.places[i];
  }

  private groupAt(top: number): number {
    return lastAtMost(this.tops, top, this.groups.length);
  }

  private groupOfPlace(place: number): number {
    return lastAtMost(this.places, place, this.groups.length);
  }
}

/** Last of the first `length` ascending numbers that is at most `value`; 0 where none is. */
function lastAtMost(ascending: ArrayLike<number>, value: number, length: number): number {
  let low = 0;
  let high = Math.max(0, length - 1);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
