/** The newest numbers of a chart as rows, the newest first. */
import type { Column } from "../../parts/chart_columns.ts";
import type { ChartDefinition } from "./definitions.ts";
import { formatValue, type NumberKind } from "./format.ts";
import type { RunTable } from "./run_table.ts";

export interface ChartRows {
  heads: string[];
  rows: { step: number; cells: string[] }[];
  /** Rows that there are, shown or not. */
  count: number;
}

/** Evaluations stand in the row of the step after which they were made, in a row of their own before the first. */
export function chartRows({ panels }: ChartDefinition, run: RunTable, limit: number): ChartRows {
  const values = new Map<number, Map<number, number>>();
  const heads: string[] = [];
  const kinds: NumberKind[] = [];
  const add = (head: string, kind: NumberKind, steps: Column, column: Column) => {
    const place = heads.push(head) - 1;
    kinds.push(kind);
    for (const [index, step] of steps.entries()) {
      const row = values.get(step) ?? new Map<number, number>();
      values.set(step, row.set(place, column[index]));
    }
  };
  const steps = run.xs("step");
  for (const { series, kind } of panels)
    for (const { metric, label, style, spread } of series) {
      if (style === "dots") {
        const { xs, values: found } = run.evaluationColumn(metric, "step");
        add(label, kind, xs, found);
      } else add(spread ? label.split(" ± ")[0] : label, kind, steps, run.column(metric));
      if (spread) add("std", kind, steps, run.column(spread));
    }
  const newest = [...values.entries()].sort(([a], [b]) => b - a);
  return {
    heads,
    rows: newest.slice(0, limit).map(([step, row]) => ({
      step,
      cells: kinds.map((kind, place) => formatValue(row.get(place) ?? Number.NaN, kind)),
    })),
    count: newest.length,
  };
}
