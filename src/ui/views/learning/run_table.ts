/** A run's rows by column, read once each: what charts, tables and sentences are made from. */
import type { Column } from "../../parts/chart_columns.ts";
import type { EvaluationRow, StepRow } from "../../state/records.ts";
import { smooth } from "./smoothing.ts";

export type XAxis = "step" | "time" | "tokens";

/** The greatest index whose x is not beyond the given one; -1 where all are. */
export function lastNotBeyond(xs: readonly number[], x: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The index whose x is nearest; -1 where there is none. */
export function nearest(xs: readonly number[], x: number): number {
  const before = lastNotBeyond(xs, x);
  if (before < 0) return xs.length > 0 ? 0 : -1;
  if (before + 1 === xs.length) return before;
  return x - xs[before] <= xs[before + 1] - x ? before : before + 1;
}

export class RunTable {
  readonly name: string;
  readonly rows: readonly StepRow[];
  readonly evaluations: readonly EvaluationRow[];
  private readonly columns = new Map<string, Column>();
  private readonly axes = new Map<XAxis, readonly number[]>();
  private smoothed = new Map<string, Column>();
  private weight = 0;

  /** The rows are copied, since a live run goes on to append to its own. */
  constructor(name: string, rows: readonly StepRow[], evaluations: readonly EvaluationRow[]) {
    this.name = name;
    this.rows = [...rows];
    this.evaluations = [...evaluations];
  }

  get length(): number {
    return this.rows.length;
  }

  /** A metric by step; null where it was not measured. */
  column(metric: string): Column {
    const known = this.columns.get(metric);
    if (known) return known;
    const column = this.rows.map((row) => {
      const value = row[metric];
      return typeof value === "number" && Number.isFinite(value) ? value : null;
    });
    this.columns.set(metric, column);
    return column;
  }

  smoothedColumn(metric: string, weight: number): Column {
    if (weight !== this.weight) this.smoothed = new Map();
    this.weight = weight;
    const known = this.smoothed.get(metric);
    if (known) return known;
    const column = smooth(this.column(metric), weight);
    this.smoothed.set(metric, column);
    return column;
  }

  /** Never falling: the step, the seconds spent on steps so far, or the tokens trained on so far. */
  xs(axis: XAxis): readonly number[] {
    const known = this.axes.get(axis);
    if (known) return known;
    let reached = 0;
    const xs = this.rows.map((row, index) => {
      if (axis === "time") reached += Math.max(0, row.step_time ?? 0);
      else reached = Math.max(reached, (axis === "step" ? (row.step ?? index + 1) : row.num_tokens) ?? 0);
      return reached;
    });
    this.axes.set(axis, xs);
    return xs;
  }

  /** Where on an axis a step ended; 0 before the first. */
  xOfStep(axis: XAxis, step: number): number {
    if (axis === "step") return step;
    const row = lastNotBeyond(this.xs("step"), step);
    return row < 0 ? 0 : this.xs(axis)[row];
  }

  /** A metric of the evaluations over an axis. */
  evaluationColumn(metric: string, axis: XAxis): { xs: number[]; values: (number | null)[] } {
    const found = this.evaluations
      .map(({ step, metrics }) => ({ x: this.xOfStep(axis, step), value: metrics[metric] ?? null }))
      .sort((a, b) => a.x - b.x);
    return { xs: found.map(({ x }) => x), values: found.map(({ value }) => value) };
  }

  /** The newest value that was measured. */
  newest(metric: string): number | null {
    return this.column(metric).findLast((value) => value !== null) ?? null;
  }
}
