/**
 * What a chart draws: tables of columns over an x of their own. Thinned to what the pixels can show and laid over one
 * common x, because the drawing library wants all series of a chart over the same x.
 */

/** NaN where a value was not measured: the line has a gap there. Flat, so that ten thousand steps cost little. */
export type Column = Float64Array;

export interface ChartTable {
  /** Never falling. */
  xs: Column;
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
        if (Number.isNaN(value)) continue;
        if (least < 0 || value < column[least]) least = index;
        if (most < 0 || value > column[most]) most = index;
      }
      if (least >= 0) chosen.add(least).add(most);
    }
    for (const index of [...chosen].sort((a, b) => a - b)) picked.push(index);
    from = to + 1;
  }
  return picked;
}

/** The table with those rows alone. */
export function takeRows({ xs, columns }: ChartTable, rows: readonly number[]): ChartTable {
  const take = (column: Column) => {
    const taken = new Float64Array(rows.length);
    for (let index = 0; index < rows.length; index++) taken[index] = column[rows[index]];
    return taken;
  };
  return { xs: take(xs), columns: columns.map(take) };
}

/**
 * All tables over one rising x without repeats: the x first, then the columns of all tables in turn. Null is a gap;
 * `undefined` marks an x that a table does not have, and is none. Of rows with the same x in one table the last counts.
 */
export function alignTables(tables: readonly ChartTable[]): [number[], ...(number | null | undefined)[][]] {
  const xs = [...new Set(tables.flatMap((table) => [...table.xs]))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, index) => [x, index]));
  const aligned = tables.flatMap((table) => {
    const places = Array.from(table.xs, (x) => place.get(x)!);
    return table.columns.map((column) => {
      const laid = new Array<number | null | undefined>(xs.length).fill(undefined);
      for (const [row, at] of places.entries()) laid[at] = Number.isNaN(column[row]) ? null : column[row];
      return laid;
    });
  });
  return [xs, ...aligned];
}
