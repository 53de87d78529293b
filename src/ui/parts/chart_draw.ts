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
/** The height of a row of labels, in CSS pixels. */
export const LABEL_ROW = 15;

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

/**
 * Labels only where `labelled`: of the panels of one chart the uppermost, which keeps room for one row of them above its
 * lines. Labels that would run into their neighbours go further down.
 */
export function drawMarks(plot: uPlot, marks: readonly ChartMark[], labelled: boolean): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const right = bbox.left + bbox.width;
  ctx.save();
  ctx.strokeStyle = themeValue("--ink");
  ctx.lineWidth = scale;
  ctx.setLineDash([4 * scale, 3 * scale]);
  ctx.font = themeFont(FONT_PX * scale);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const placed = marks
    .map(({ x, label }) => {
      const at = Math.round(plot.valToPos(x, "x", true));
      const width = ctx.measureText(label).width;
      return { at, label, width, x: Math.max(0, Math.min(at - 3 * scale, right - width)) };
    })
    .filter(({ at }) => at >= bbox.left && at <= right);
  for (const { at } of placed) line(ctx, at, bbox.top, at, bbox.top + bbox.height);
  const rows = labelled ? labelRows(placed, 8 * scale) : [];
  for (const [index, row] of rows.entries()) {
    const { x, width, label } = placed[index];
    const middle = bbox.top + (row * LABEL_ROW - LABEL_ROW / 2) * scale;
    // Within the plot, lines that pass behind a label would make it hard to read.
    ctx.fillStyle = themeValue("--card");
    ctx.fillRect(x - 2 * scale, middle - 7 * scale, width + 4 * scale, 14 * scale);
    ctx.fillStyle = themeValue("--ink");
    ctx.fillText(label, x, middle);
  }
  ctx.restore();
}
