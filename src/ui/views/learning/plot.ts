/** A panel's lines and tables from the runs to draw: the run in view, then the runs beside it, each with a dash of its own. */
import type { ChartBand, ChartLine } from "../../parts/Chart.tsx";
import type { ChartTable, Column } from "../../parts/chart_columns.ts";
import { MISMATCH_FLOOR, type PanelDefinition, type SeriesDefinition } from "./definitions.ts";
import type { RunTable, XAxis } from "./run_table.ts";

/** Dashes of the runs beside the one in view, in turn; the legend shows them with the runs' names. */
export const DASHES: readonly number[][] = [
  [7, 4],
  [2, 3],
  [10, 3, 2, 3],
  [4, 2, 1, 2],
];

export interface PanelPlot {
  lines: ChartLine[];
  bands: ChartBand[];
  tables: ChartTable[];
  yRange: [number, number];
}

export interface PlotSettings {
  axis: XAxis;
  smoothing: number;
  recipe: Record<string, unknown>;
}

/** Of runs beside, only what can be told apart is drawn: the smoothed lines and the dots. */
export function plotPanel(
  panel: PanelDefinition,
  runs: readonly RunTable[],
  { axis, smoothing, recipe }: PlotSettings,
): PanelPlot {
  const plot: PanelPlot = { lines: [], bands: [], tables: [], yRange: [0, 1] };
  const ranged: Column[] = [];
  const bounded = (column: Column): Column =>
    panel.logarithmic ? column.map((value) => Math.max(value, MISMATCH_FLOOR)) : column;

  for (const [index, run] of runs.entries()) {
    const dash = index === 0 ? undefined : DASHES[(index - 1) % DASHES.length];
    const alpha = index === 0 ? 1 : 0.75;
    const columns: Column[] = [];
    const add = (column: Column, drawn: ChartLine) => {
      columns.push(bounded(column));
      plot.lines.push(drawn);
    };
    const addBand = (metric: string, spread: string, color: string) => {
      const middle = run.smoothedColumn(metric, smoothing);
      const around = run.smoothedColumn(spread, smoothing);
      const edge = (sign: number) => middle.map((value, row) => value + sign * around[row]);
      const upper = plot.lines.length;
      add(edge(1), { color, width: 0 });
      add(edge(-1), { color, width: 0 });
      plot.bands.push({ upper, lower: upper + 1, color, alpha: 0.14 });
    };
    const addLine = ({ metric, color, spread }: SeriesDefinition) => {
      const raw = run.column(metric);
      const smoothed = run.smoothedColumn(metric, smoothing);
      ranged.push(index === 0 ? raw : smoothed);
      if (index === 0 && spread) addBand(metric, spread, color);
      if (index === 0) add(raw, { color, width: 1, alpha: 0.35 });
      add(smoothed, { color, width: 2, alpha, dash, hover: true });
    };

    for (const series of panel.series) {
      if (series.style === "line") addLine(series);
      if (series.style === "ceiling" && index === 0) {
        const column = run.column(series.metric);
        ranged.push(column);
        add(column, { color: series.color, width: 1, stepped: true, alpha: 0.8, hover: true });
      }
    }
    plot.tables.push({ xs: run.xs(axis), columns });
    for (const { metric, color, style } of panel.series) {
      if (style !== "dots") continue;
      const { xs, values } = run.evaluationColumn(metric, axis);
      ranged.push(values);
      plot.tables.push({ xs, columns: [values] });
      plot.lines.push({ color, width: 1, alpha: alpha * 0.9, dash: dash ?? [2, 4], dots: 7, hover: true });
    }
  }
  plot.yRange = panel.range(ranged.map(bounded), recipe);
  return plot;
}
