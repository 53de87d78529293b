/** What is drawn over a chart's lines: events as labelled vertical lines, limits as labelled horizontal ones. */
import type uPlot from "uplot";
import { themeFont, themeValue } from "./chart_theme.ts";

export interface ChartMark {
  x: number;
  label: string;
}

export interface ChartLimit {
  y: number;
  label: string;
}

const FONT_PX = 11;

/** Rows of labels at the top, so that neighbours do not overlap: the row each label takes, in order of x. */
export function labelRows(labels: readonly { x: number; width: number }[], gap: number): number[] {
  const ends: number[] = [];
  return labels.map(({ x, width }) => {
    const free = ends.findIndex((end) => end + gap <= x);
    const row = free < 0 ? ends.length : free;
    ends[row] = x + width;
    return row;
  });
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

export function drawLimits(plot: uPlot, limits: readonly ChartLimit[]): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = themeValue("--ink-soft");
  ctx.lineWidth = scale;
  ctx.setLineDash([2 * scale, 3 * scale]);
  ctx.font = themeFont(FONT_PX * scale);
  ctx.textAlign = "right";
  for (const { y, label } of limits) {
    const at = Math.round(plot.valToPos(y, "y", true));
    if (at < bbox.top - scale || at > bbox.top + bbox.height) continue;
    line(ctx, bbox.left, at, bbox.left + bbox.width, at);
    const under = at - bbox.top < (FONT_PX + 4) * scale;
    ctx.textBaseline = under ? "top" : "bottom";
    ctx.fillText(label, bbox.left + bbox.width - 2 * scale, at + (under ? 3 : -2) * scale);
  }
  ctx.restore();
}

/** Labels only where `labelled`: of the panels of one chart the uppermost. */
export function drawMarks(plot: uPlot, marks: readonly ChartMark[], labelled: boolean): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = themeValue("--ink");
  ctx.lineWidth = scale;
  ctx.setLineDash([4 * scale, 3 * scale]);
  ctx.font = themeFont(FONT_PX * scale);
  ctx.textBaseline = "top";
  const right = bbox.left + bbox.width;
  const placed = marks.map(({ x, label }) => ({ x: Math.round(plot.valToPos(x, "x", true)), label }));
  const widths = placed.map(({ label }) => ctx.measureText(label).width);
  const starts = placed.map(({ x }, index) =>
    Math.max(bbox.left, Math.min(x + 4 * scale, right - widths[index])),
  );
  const rows = labelRows(
    starts.map((x, index) => ({ x, width: widths[index] })),
    6 * scale,
  );
  for (const [index, { x, label }] of placed.entries()) {
    if (x < bbox.left || x > right) continue;
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
    if (labelled) ctx.fillText(label, starts[index], bbox.top + (2 + rows[index] * (FONT_PX + 3)) * scale);
  }
  ctx.restore();
}
