/** Draws a view of the trace. All lengths are pixels of CSS. */
import { labelOf } from "./activities.ts";
import {
  HEAD,
  type Layout,
  type LevelRow,
  laneTop,
  type Row,
  RULER,
  VERSIONS,
  versionOf,
  versionStep,
} from "./layout.ts";
import { type LaneVisitor, visitLane } from "./lod.ts";
import { paintArrows } from "./paint_arrows.ts";
import { css, type Palette } from "./palette.ts";
import { Pencil } from "./pencil.ts";
import { SliceStyles } from "./slice_style.ts";
import { type Arrow, firstAbove, type Slice, type Span, type TraceIndex } from "./trace_index.ts";
import { ticks } from "./viewport.ts";

export interface Scene {
  index: TraceIndex;
  layout: Layout;
  view: Span;
  width: number;
  selected: Slice | null;
  hovered: Slice | null;
  /** Arrows to draw faintly, and those of the slice that is pointed at. */
  faint: readonly Arrow[];
  arrows: readonly Arrow[];
}

/** Labels are left out where fewer pixels than these are free. */
const LEAST_LABEL = 26;
const LEAST_GAP_LABEL = 72;
const VERSION_SPACING = 44;
const SMALL = "11px";
const LABEL = "11.5px";

export function xOf(scene: Scene, at: number): number {
  return ((at - scene.view.from) / (scene.view.to - scene.view.from)) * scene.width;
}

/** Words that are written when everything else is drawn, so that no line crosses them. */
interface Label {
  text: string;
  font: string;
  x: number;
  y: number;
  colour: string;
  /** The ground to write on; "" writes on what is there. */
  ground: string;
}

export class Painter {
  private readonly pencil: Pencil;
  private readonly palette: Palette;
  private readonly styles: SliceStyles;
  private labels: Label[] = [];

  constructor(context: CanvasRenderingContext2D, palette: Palette, family: string, ratio: number) {
    this.pencil = new Pencil(context, family, ratio);
    this.palette = palette;
    this.styles = new SliceStyles(palette);
  }

  paint(scene: Scene): void {
    const { layout } = scene;
    this.labels = [];
    this.pencil.clear(scene.width, layout.height);
    this.scale(scene);
    for (const row of layout.rows) this.row(scene, row);
    for (const row of layout.levels) this.level(scene, row);
    this.versions(scene);
    this.write();
    paintArrows(this.pencil.context, scene, css(this.palette.ink));
    if (scene.hovered && scene.hovered !== scene.selected)
      this.outline(scene, scene.hovered, 1.5, this.palette.soft);
    if (scene.selected) this.outline(scene, scene.selected, 2, this.palette.ink);
  }

  private scale(scene: Scene): void {
    const { pencil, palette } = this;
    const { width, layout } = scene;
    const [line, soft] = [css(palette.line), css(palette.soft)];
    pencil.font(SMALL);
    for (const { at, label } of ticks(scene.view, width, scene.index.origin, layout.compact ? 76 : 104)) {
      const x = Math.round(xOf(scene, at));
      pencil.context.fillStyle = line;
      pencil.context.fillRect(x, RULER - 9, 1, layout.height - RULER + 9);
      // A label that would be cut at the edge is left out.
      if (x + 5 + pencil.measure(label) < width) pencil.text(label, x + 5, RULER - 13, soft);
    }
  }

  private row(scene: Scene, row: Row): void {
    const { context } = this.pencil;
    const { track, laneHeight } = row;
    track.lanes.forEach((lane, i) => {
      const top = laneTop(row, i);
      // The lane itself is drawn, so that idle time is seen as room and not as nothing.
      context.fillStyle = css(this.palette.sunk);
      context.fillRect(0, top, scene.width, laneHeight);
      const visitor: LaneVisitor = {
        slice: (x, width, slice) => this.slice(scene, x, width, top, laneHeight, slice),
        merged: (x, width, covered, waits) => {
          context.fillStyle = this.styles.merged(track.name, covered, waits);
          context.fillRect(x, top, width, laneHeight);
        },
        gap: (x, width, next) => {
          // What a GPU does next is its worker's to say.
          if (i === 0 && !track.gpu) this.gap(scene, x, width, top + laneHeight / 2, next);
        },
      };
      visitLane(lane, scene.view, scene.width, visitor);
    });
  }

  private slice(scene: Scene, x: number, wide: number, top: number, high: number, slice: Slice): void {
    const { context } = this.pencil;
    const style = this.styles.of(slice.track, slice.name);
    const left = Math.max(x, -4);
    // A hair of room between neighbours, where there is any to give.
    const width = Math.min(x + wide, scene.width + 4) - left - (wide > 4 ? 1 : 0);
    const radius = width > 8 && high > 12 ? 3 : 0;
    context.fillStyle = style.fill;
    if (radius > 0) {
      context.beginPath();
      context.roundRect(left, top, width, high, radius);
      context.fill();
    } else context.fillRect(left, top, width, high);
    if (style.hatch && width > 5)
      this.pencil.hatch({ x: left, y: top, width, height: high }, x, style.line, radius, style.hatch);
    const start = Math.max(left, 0);
    const room = Math.min(left + width, scene.width) - start - 12;
    if (high < 14 || room < LEAST_LABEL) return;
    this.pencil.font(LABEL);
    const text =
      this.pencil.shorten(labelOf(slice), room) || this.pencil.shorten(style.wait ? "waits" : "", room);
    // A plain ground behind words on hatching, which would cross them.
    if (text) this.label(text, LABEL, start + 6, top + high / 2, style.text, style.hatch ? style.fill : "");
  }

  private gap(scene: Scene, x: number, width: number, middle: number, next: Slice): void {
    const { pencil } = this;
    const left = Math.max(x, 0);
    const room = Math.min(x + width, scene.width) - left - 16;
    if (room < LEAST_GAP_LABEL) return;
    pencil.font(SMALL);
    const text = [`idle until ${labelOf(next)}`, "idle"].find((words) => pencil.measure(words) <= room);
    if (!text) return;
    const start = left + 8 + (room - pencil.measure(text)) / 2;
    this.label(text, SMALL, start, middle, css(this.palette.soft), css(this.palette.sunk));
  }

  private label(text: string, font: string, x: number, y: number, colour: string, ground: string): void {
    this.labels.push({ text, font, x, y: y + 0.5, colour, ground });
  }

  private write(): void {
    const { pencil } = this;
    for (const { text, font, x, y, colour, ground } of this.labels) {
      pencil.font(font);
      if (ground) {
        pencil.context.fillStyle = ground;
        pencil.context.fillRect(x - 3, y - 7, pencil.measure(text) + 6, 14);
      }
      pencil.text(text, x, y, colour);
    }
  }

  private versions(scene: Scene): void {
    const { pencil, palette } = this;
    const { marks } = scene.index;
    const begin = firstAbove(marks, scene.view.from, ({ at }) => at);
    const end = firstAbove(marks, scene.view.to, ({ at }) => at);
    const step = versionStep(end - begin, scene.width, VERSION_SPACING);
    const dense = (end - begin) * 5 > scene.width;
    const bottom = scene.layout.height;
    let reached = Number.NEGATIVE_INFINITY;
    const font = `600 ${SMALL}`;
    pencil.font(font);
    for (let i = begin; i < end; i++) {
      const { name, at } = marks[i];
      const version = versionOf(name);
      const numbered = version === null || version % step === 0;
      if (dense && !numbered) continue;
      const x = Math.round(xOf(scene, at));
      const colour = css(version === null ? palette.ink : palette.stages.weights);
      const top = numbered ? RULER + 2 : HEAD;
      pencil.context.fillStyle = colour;
      pencil.context.globalAlpha = numbered ? 0.65 : 0.35;
      pencil.context.fillRect(x, top, 1, bottom - top);
      pencil.context.globalAlpha = 1;
      const label = version === null ? name : `v${version}`;
      const right = x + 5 + pencil.measure(label);
      // Versions do not come evenly: one that follows closely goes without its number.
      if (!numbered || x < reached + 3 || right > scene.width) continue;
      reached = right;
      this.label(label, font, x + 5, RULER + VERSIONS / 2 - 1, colour, "");
    }
  }

  private level(scene: Scene, row: LevelRow): void {
    const { pencil, palette } = this;
    const { context } = pencil;
    const points = scene.index.levels.get(row.name) ?? [];
    const begin = Math.max(0, firstAbove(points, scene.view.from, ({ at }) => at) - 1);
    const shown = points.slice(
      begin,
      firstAbove(points, scene.view.to, ({ at }) => at),
    );
    const most = shown.reduce((peak, { value }) => Math.max(peak, value), 0);
    const bottom = row.y + row.height;
    const high = bottom - row.curveY;
    context.fillStyle = css(palette.line);
    context.fillRect(0, bottom - 1, scene.width, 1);
    if (most <= 0) return;
    const end = Math.min(scene.width, xOf(scene, scene.index.last));
    context.fillStyle = css(palette.soft);
    context.globalAlpha = 0.4;
    for (let i = 0; i < shown.length; i++) {
      const x = Math.max(0, xOf(scene, shown[i].at));
      // The highest of a pixel stands for all of it.
      let { value } = shown[i];
      while (i + 1 < shown.length && xOf(scene, shown[i + 1].at) - x < 1)
        value = Math.max(value, shown[++i].value);
      const right = i + 1 < shown.length ? xOf(scene, shown[i + 1].at) : end;
      const height = (value / most) * (high - 2);
      if (right > x) context.fillRect(x, bottom - height, right - x, height);
    }
    context.globalAlpha = 1;
    pencil.font(SMALL);
    const text = `most ${Number(most.toPrecision(4))}`;
    const x = scene.width - 6 - pencil.measure(text);
    this.label(text, SMALL, x, row.curveY + 9, css(palette.soft), css(palette.card));
  }

  private outline(scene: Scene, slice: Slice, weight: number, colour: Palette["ink"]): void {
    const { context } = this.pencil;
    const row = scene.layout.rows.find(({ track }) => track.name === slice.track);
    const lane = row?.track.lanes.findIndex((candidate) => candidate.holds(slice)) ?? -1;
    if (!row || lane < 0) return;
    const x = Math.max(-8, xOf(scene, slice.start));
    const right = Math.min(scene.width + 8, xOf(scene, slice.end));
    if (right < 0 || x > scene.width) return;
    const width = Math.max(right - x, 1) + 2 * weight - 1;
    context.lineWidth = weight;
    context.strokeStyle = css(colour);
    context.beginPath();
    context.roundRect(x - weight, laneTop(row, lane) - weight, width, row.laneHeight + 2 * weight, 4);
    context.stroke();
  }
}
