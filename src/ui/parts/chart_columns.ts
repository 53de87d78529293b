/**
 * What a chart draws: tables of columns over an x of their own. Thinned to what the pixels can show and laid over one
 * common x, because the drawing library wants all series of a chart over the same x.
 */

/** Null where a value was not measured: the line has a gap there. */
export type Column = readonly (number | null)[];

export interface ChartTable {
  /** Never falling. */
  xs: readonly number[];
  /** Each as long as `xs`. */
  columns: readonly Column[];
}

/**
 * Indices of the rows that are worth drawing, rising: of each of `buckets` equal stretches of x the first and last row and
 * every column's smallest and largest value, so that no peak is lost. All rows where they are few.
 */
export function pickRows({ xs, columns }: ChartTable, buckets: number): number[] {
  const count = xs.length;
  if (count <= 2 * buckets) return Array.from(xs, (_, index) => index);
  const first = xs[0];
  const perUnit = buckets / (xs[count - 1] - first || 1);
  const bucketOf = (index: number) => Math.min(buckets - 1, Math.floor((xs[index] - first) * perUnit));
  const picked: number[] = [];
  for (let from = 0; from < count; ) {
    const bucket = bucketOf(from);
    let to = from;
    while (to + 1 < count && bucketOf(to + 1) === bucket) to++;
    const chosen = new Set([from, to]);
    for (const column of columns) {
      let least = -1;
      let most = -1;
      for (let index = from; index <= to; index++) {
        const value = column[index];
        if (value === null) continue;
        if (least < 0 || value < column[least]!) least = index;
        if (most < 0 || value > column[most]!) most = index;
      }
      if (least >= 0) chosen.add(least).add(most);
    }
    picked.push(...[...chosen].sort((a, b) => a - b));
    from = to + 1;
  }
  return picked;
}

/** The table with those rows alone. */
export function takeRows({ xs, columns }: ChartTable, rows: readonly number[]): ChartTable {
  return {
    xs: rows.map((row) => xs[row]),
    columns: columns.map((column) => rows.map((row) => column[row])),
  };
}

/**
 * All tables over one rising x without repeats: the x first, then the columns of all tables in turn. `undefined` marks an x
 * that a table does not have: no gap. Of rows with the same x in one table the last counts.
 */
export function alignTables(tables: readonly ChartTable[]): [number[], ...(number | null | undefined)[][]] {
  const xs = [...new Set(tables.flatMap((table) => table.xs))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, index) => [x, index]));
  const aligned = tables.flatMap((table) => {
    const places = table.xs.map((x) => place.get(x)!);
    return table.columns.map((column) => {
      const laid = new Array<number | null | undefined>(xs.length).fill(undefined);
      for (const [row, at] of places.entries()) laid[at] = column[row];
      return laid;
    });
  });
  return [xs, ...aligned];
}
