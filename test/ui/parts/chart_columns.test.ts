import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignTables, type ChartTable, pickRows, takeRows } from "../../../src/ui/parts/chart_columns.ts";

const column = (...values: (number | null)[]) => Float64Array.from(values, (value) => value ?? Number.NaN);

const longTable = (ys: readonly number[]): ChartTable => ({
  xs: Float64Array.from(ys, (_, index) => index),
  columns: [Float64Array.from(ys)],
});

describe("pickRows()", () => {
  it("keeps few rows as they are", () => {
    expect(pickRows(longTable([3, 1, 2]), 2)).toEqual([0, 1, 2]);
    expect(pickRows(longTable([]), 2)).toEqual([]);
  });

  it("keeps a single peak and a single dip among ten thousand steps, in few rows", () => {
    const ys = Array.from({ length: 10_000 }, (_, index) => Math.sin(index / 900));
    ys[5_003] = 9;
    ys[7_777] = -9;
    const rows = pickRows(longTable(ys), 500);
    expect(rows).toContain(5_003);
    expect(rows).toContain(7_777);
    expect(rows.length).toBeLessThanOrEqual(4 * 500);
    expect(rows[0]).toBe(0);
    expect(rows.at(-1)).toBe(9_999);
  });

  it("keeps every column's extremes, bucket by bucket, in rising order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.option(fc.integer())), {
          minLength: 30,
          maxLength: 300,
        }),
        fc.integer({ min: 1, max: 12 }),
        (pairs, buckets) => {
          const table: ChartTable = {
            xs: Float64Array.from(pairs, (_, index) => index),
            columns: [column(...pairs.map(([a]) => a)), column(...pairs.map(([, b]) => b))],
          };
          const rows = pickRows(table, buckets);
          expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
          const width = (pairs.length - 1) / buckets;
          for (let bucket = 0; bucket < buckets; bucket++) {
            const isInside = (row: number) => Math.min(buckets - 1, Math.floor(row / width)) === bucket;
            for (const values of table.columns) {
              const all = [...values].filter((value, row) => isInside(row) && !Number.isNaN(value));
              const kept = rows.filter(isInside).map((row) => values[row]);
              if (all.length === 0) continue;
              expect(kept).toContain(Math.min(...all));
              expect(kept).toContain(Math.max(...all));
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("copes with rows that all have the same x", () => {
    const table = { xs: new Float64Array(50), columns: [column(...Array(50).fill(1))] };
    expect(pickRows(table, 4)).toEqual([0, 49]);
  });
});

describe("alignTables()", () => {
  it("lays tables over one x: a gap is null, an x of another table is undefined", () => {
    const run = { xs: column(1, 2, 3), columns: [column(10, null, 30), column(1, 2, 3)] };
    const dots = { xs: column(0, 2), columns: [column(5, 6)] };
    expect(alignTables([run, dots])).toEqual([
      [0, 1, 2, 3],
      [undefined, 10, null, 30],
      [undefined, 1, 2, 3],
      [5, undefined, 6, undefined],
    ]);
  });

  it("lets the last of rows with the same x count", () => {
    expect(alignTables([{ xs: column(1, 1), columns: [column(7, 8)] }])).toEqual([[1], [8]]);
  });

  it("gives an x without values for nothing", () => {
    expect(alignTables([])).toEqual([[]]);
  });
});

describe("takeRows()", () => {
  it("takes the rows of all columns", () => {
    const table = { xs: column(1, 2, 3), columns: [column(4, 5, 6), column(7, 8, 9)] };
    expect(takeRows(table, [0, 2])).toEqual({ xs: column(1, 3), columns: [column(4, 6), column(7, 9)] });
  });
});
