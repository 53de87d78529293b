/**
 * Applies a filter to a whole run in slices of a few milliseconds, and goes on where it stopped when rows arrive, so that the
 * page stays smooth with tens of thousands of completions.
 */
import type { RolloutRow } from "../../state/records.ts";
import { type Group, type RolloutIndex, sortedRows } from "./group_index.ts";
import { type FilterContext, isFiltering, type RowFilter, rowTest } from "./row_filter.ts";

/** A group with the completions that are shown of it, best first; never empty. */
export interface ShownGroup {
  group: Group;
  rows: readonly RolloutRow[];
}

/** The groups that keep a completion, at once; for a single step. */
export function shownGroups(
  groups: readonly Group[],
  filter: RowFilter,
  context: FilterContext,
): ShownGroup[] {
  if (!isFiltering(filter)) return groups.map((group) => ({ group, rows: sortedRows(group) }));
  const test = rowTest(filter, context);
  return groups
    .map((group) => ({ group, rows: sortedRows(group).filter(test) }))
    .filter(({ rows }) => rows.length > 0);
}

/** Groups looked at between two looks at the clock. */
const GROUPS_AT_ONCE = 16;

export class FilterScan {
  readonly filter: RowFilter;
  shown: ShownGroup[] = [];
  /** Completions shown. */
  rows = 0;
  private readonly index: RolloutIndex;
  private readonly test: (row: RolloutRow) => boolean;
  private readonly filtering: boolean;
  private generation: number;
  private rangesVersion: number;
  private next = 0;
  private openRows = 0;

  constructor(index: RolloutIndex, filter: RowFilter, context: FilterContext) {
    this.index = index;
    this.filter = filter;
    this.filtering = isFiltering(filter);
    this.test = rowTest(filter, context);
    this.generation = index.generation;
    this.rangesVersion = index.rangesVersion;
  }

  get done(): boolean {
    return this.isCurrent() && this.next === this.index.groups.length && !this.lastHasGrown();
  }

  /** Works until `deadline` by `now`; tells whether everything was looked at. */
  advance(deadline: number, now: () => number): boolean {
    if (!this.isCurrent()) this.restart();
    else if (this.lastHasGrown()) this.forgetLast();
    const { groups } = this.index;
    while (this.next < groups.length) {
      for (let i = 0; i < GROUPS_AT_ONCE && this.next < groups.length; i++) this.look(groups[this.next++]);
      if (now() >= deadline) break;
    }
    return this.next === groups.length;
  }

  private look(group: Group): void {
    const sorted = sortedRows(group);
    const rows = this.filtering ? sorted.filter(this.test) : sorted;
    this.openRows = group.rows.length;
    if (rows.length === 0) return;
    this.shown.push({ group, rows });
    this.rows += rows.length;
  }

  /** "Good" depends on the ranges, so only the filter on disagreement minds when they grow. */
  private isCurrent(): boolean {
    return (
      this.generation === this.index.generation &&
      (!this.filter.disagreement || this.rangesVersion === this.index.rangesVersion)
    );
  }

  private lastHasGrown(): boolean {
    return this.next > 0 && this.index.groups[this.next - 1].rows.length !== this.openRows;
  }

  private forgetLast(): void {
    this.next--;
    if (this.shown.at(-1)?.group === this.index.groups[this.next])
      this.rows -= this.shown.pop()?.rows.length ?? 0;
  }

  private restart(): void {
    this.shown = [];
    this.rows = 0;
    this.next = 0;
    this.openRows = 0;
    this.generation = this.index.generation;
    this.rangesVersion = this.index.rangesVersion;
  }
}
