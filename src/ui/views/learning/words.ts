/** A chart in words, for those who do not see it: the newest value of each series and where it is heading. */
import type { Column } from "../../parts/chart_columns.ts";
import type { PanelDefinition } from "./definitions.ts";
import { formatValue } from "./format.ts";
import type { RunTable } from "./run_table.ts";
import { mean } from "./window_stats.ts";

export type Trend = "rising" | "falling" | "steady";

/** Steps that are compared with as many before them. */
const STRETCH = 5;
/** A change under this share of the range seen is none; so is one that is small beside the value itself. */
const OF_RANGE = 0.08;
const OF_VALUE = 0.01;
/** So many standard errors are noise. */
const OF_ERROR = 2;

/** The newest measured values, in their order. */
function newestValues(column: Column, count: number): Column {
  const found: number[] = [];
  for (let index = column.length - 1; index >= 0 && found.length < count; index--)
    if (!Number.isNaN(column[index])) found.unshift(column[index]);
  return Float64Array.from(found);
}

/** Null before there are enough steps to tell. */
export function trendOf(column: Column): Trend | null {
  const values = newestValues(column, 2 * STRETCH);
  if (values.length < 2 * STRETCH) return null;
  const now = mean(values.subarray(STRETCH));
  const before = mean(values.subarray(0, STRETCH));
  const squares = values.map((value, index) => (value - (index < STRETCH ? before : now)) ** 2);
  // Of the difference of two means: √(2 s² / n), with s² from both stretches.
  const error = Math.sqrt(((2 / STRETCH) * mean(squares) * STRETCH) / (STRETCH - 1));
  let [least, most] = [now, now];
  for (const value of column) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const change = now - before;
  const noise = Math.max(OF_ERROR * error, OF_RANGE * (most - least), OF_VALUE * Math.abs(before));
  if (Math.abs(change) <= noise) return "steady";
  return change > 0 ? "rising" : "falling";
}

/** `Reward: reward ± std 0.947 at step 30, rising; held-out pass@1 0.906.` */
export function panelInWords(title: string, panel: PanelDefinition, run: RunTable): string {
  if (run.length === 0) return `${title}: no step yet.`;
  const parts = panel.series.map(({ metric, label, style }) => {
    if (style === "dots") {
      const { values } = run.evaluationColumn(metric, "step");
      const newest = values.at(-1);
      return newest === undefined ? `${label} not measured` : `${label} ${formatValue(newest, panel.kind)}`;
    }
    const value = run.newest(metric);
    if (Number.isNaN(value)) return `${label} not measured`;
    const trend = trendOf(run.column(metric));
    return `${label} ${formatValue(value, panel.kind)}${trend === null ? "" : `, ${trend}`}`;
  });
  return `${title}, ${panel.caption}: ${parts.join("; ")}, at step ${run.xs("step").at(-1)}.`;
}
