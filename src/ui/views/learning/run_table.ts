/** A run's rows by column, read once each: what charts, tables and sentences are made from. */
import type { Column } from "../../parts/chart_columns.ts";
import type { EvaluationRow, StepRow } from "../../state/records.ts";
import { smooth } from "./smoothing.ts";

export type XAxis = "step" | "time" | "tokens";

/** The greatest index whose x is not beyond the given one; -1 where all are. */
export function lastNotBeyond(xs: ArrayLike<number>, x: number): number {
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
export function nearest(xs: ArrayLike<number>, x: number): number {
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
  private readonly axes = new Map<XAxis, Column>();
  private smoothed = new Map<string, Column>();
  private weight = 0;

  /**
   * The rows are copied, since a live run goes on to append to its own.
   *
   * @param previous an earlier table of the run; where the rows begin with its rows, its columns need not be read again
   */
  constructor(
    name: string,
    rows: readonly StepRow[],
    evaluations: readonly EvaluationRow[],
    previous?: RunTable,
  ) {
    this.name = name;
    this.rows = [...rows];
    this.evaluations = [...evaluations];
    const known = previous?.length ?? 0;
    if (!previous || known > rows.length || rows[known - 1] !== previous.rows[known - 1]) return;
    for (const [metric, column] of previous.columns) this.columns.set(metric, this.read(metric, column));
  }

  get length(): number {
    return this.rows.length;
  }

  /** A metric by step; NaN where it was not measured. */
  column(metric: string): Column {
    const known = this.columns.get(metric);
    if (known) return known;
    const column = this.read(metric, new Float64Array(0));
    this.columns.set(metric, column);
    return column;
  }

  private read(metric: string, known: Column): Column {
    const column = new Float64Array(this.length);
    column.set(known);
    for (let index = known.length; index < column.length; index++) {
      const value = this.rows[index][metric];
      column[index] = typeof value === "number" && Number.isFinite(value) ? value : Number.NaN;
    }
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
  xs(axis: XAxis): Column {
    const known = this.axes.get(axis);
    if (known) return known;
    const xs = new Float64Array(this.length);
    const column = this.column({ step: "step", time: "step_time", tokens: "num_tokens" }[axis]);
    let reached = 0;
    for (const [index, value] of column.entries()) {
      if (value > (axis === "time" ? 0 : reached)) reached = axis === "time" ? reached + value : value;
      xs[index] = reached;
    }
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
  evaluationColumn(metric: string, axis: XAxis): { xs: Column; values: Column } {
    const found = this.evaluations
      .map(({ step, metrics }) => ({ x: this.xOfStep(axis, step), value: metrics[metric] ?? Number.NaN }))
      .sort((a, b) => a.x - b.x);
    return {
      xs: Float64Array.from(found, ({ x }) => x),
      values: Float64Array.from(found, ({ value }) => value),
    };
  }

  /** The newest value that was measured; NaN before there is one. */
  newest(metric: string): number {
    return this.column(metric).findLast((value) => !Number.isNaN(value)) ?? Number.NaN;
  }
}
