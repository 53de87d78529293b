/** Draws arrows between tracks, from what made something to what used it. */
import type { Row } from "./layout.ts";
import { type Scene, xOf } from "./paint.ts";
import type { Arrow } from "./trace_index.ts";

/** Arrows of one picture; more could not be told apart. */
const MOST = 900;
/** Arrows whose ends are nearer than this many pixels are drawn as one. */
const APART = 3;

export function paintArrows(context: CanvasRenderingContext2D, scene: Scene, ink: string): void {
  const rows = new Map(scene.layout.rows.map((row) => [row.track.name, row]));
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.lineWidth = 1;
  const faint = curves(scene, rows, scene.faint);
  // The more there are the paler each is: they show where rollouts go, and must not cover what made them.
  context.globalAlpha = Math.max(0.07, Math.min(0.26, 24 / faint.length));
  for (const curve of faint) bend(context, curve);
  const chosen = curves(scene, rows, scene.arrows);
  context.globalAlpha = chosen.length > 8 ? 0.6 : 0.85;
  context.lineWidth = chosen.length > 8 ? 1 : 1.25;
  for (const curve of chosen) {
    bend(context, curve);
    head(context, curve);
  }
  context.globalAlpha = 1;
}

interface Curve {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
  /** 1 down the page, -1 up. */
  way: number;
}

function curves(scene: Scene, rows: ReadonlyMap<string, Row>, arrows: readonly Arrow[]): Curve[] {
  const found = new Map<string, Curve>();
  for (const { from, to } of arrows) {
    const start = rows.get(from.track);
    const end = rows.get(to.track);
    if (!start || !end) continue;
    const x0 = xOf(scene, from.at);
    const x1 = xOf(scene, to.at);
    const key = `${start.y} ${end.y} ${Math.round(x0 / APART)} ${Math.round(x1 / APART)}`;
    if (found.has(key)) continue;
    if (found.size >= MOST) break;
    const way = start.y <= end.y ? 1 : -1;
    const y0 = start.lanesY + start.laneHeight * (way > 0 ? 0.8 : 0.2);
    found.set(key, { x0, y0, x1, y1: way > 0 ? end.lanesY : end.lanesY + end.laneHeight, way });
  }
  return [...found.values()];
}

function bend(context: CanvasRenderingContext2D, { x0, y0, x1, y1, way }: Curve): void {
  const far = Math.min(60, Math.max(14, Math.abs(x1 - x0) * 0.4));
  context.beginPath();
  context.moveTo(x0, y0);
  context.bezierCurveTo(x0 + far, y0, x1 - far * 0.4, y1 - way * far, x1, y1);
  context.stroke();
}

function head(context: CanvasRenderingContext2D, { x0, y0, x1, y1, way }: Curve): void {
  context.beginPath();
  context.arc(x0, y0, 2, 0, Math.PI * 2);
  context.moveTo(x1, y1 + way);
  context.lineTo(x1 - 4, y1 - way * 7);
  context.lineTo(x1 + 4, y1 - way * 7);
  context.fill();
}
