/** Draws a view of the trace. All lengths are pixels of CSS; the context is scaled to the device's. */
import { sliceLabel } from "./activities.ts";
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
import { css, type Palette } from "./palette.ts";
import { SliceStyles } from "./slice_style.ts";
import {
  type Arrow,
  firstAbove,
  firstEndingAfter,
  type Slice,
  type Span,
  type TraceIndex,
} from "./trace_index.ts";
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

/** A label is left out where fewer pixels than this are free. */
const LEAST_LABEL = 26;
const LEAST_GAP_LABEL = 72;
const VERSION_SPACING = 44;
const MOST_FAINT = 1500;

export class Painter {
  readonly styles: SliceStyles;
  private readonly context: CanvasRenderingContext2D;
  private readonly palette: Palette;
  private readonly font: string;
  private readonly ratio: number;
  private readonly hatches = new Map<string, CanvasPattern | null>();
  private readonly widths = new Map<string, number>();

  constructor(context: CanvasRenderingContext2D, palette: Palette, family: string, ratio: number) {
    this.context = context;
    this.palette = palette;
    this.styles = new SliceStyles(palette);
    this.font = family;
    this.ratio = ratio;
  }

  paint(scene: Scene): void {
    const { context, ratio } = this;
    const { layout, width } = scene;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, layout.height);
    context.textBaseline = "middle";
    this.grid(scene);
    for (const row of layout.rows) this.row(scene, row);
    for (const row of layout.levels) this.level(scene, row);
    this.versions(scene);
    this.arrows(scene);
    if (scene.hovered && scene.hovered !== scene.selected)
      this.outline(scene, scene.hovered, 1.5, this.palette.soft);
    if (scene.selected) this.outline(scene, scene.selected, 2, this.palette.ink);
  }

  private x(scene: Scene, at: number): number {
    return ((at - scene.view.from) / (scene.view.to - scene.view.from)) * scene.width;
  }

  private grid(scene: Scene): void {
    const { context, palette } = this;
    const { width, layout } = scene;
    context.font = `11px ${this.font}`;
    context.textAlign = "left";
    for (const { at, label } of ticks(scene.view, width, scene.index.origin, layout.compact ? 76 : 104)) {
      const x = Math.round(this.x(scene, at)) + 0.5;
      context.fillStyle = css(palette.line);
      context.fillRect(x - 0.5, RULER - 9, 1, layout.height - RULER + 9);
      context.fillStyle = css(palette.soft);
      // A label that would be cut at the edge is left out.
      if (x + 5 + this.measure(label) < width) context.fillText(label, x + 5, RULER - 13);
    }
  }

  private row(scene: Scene, row: Row): void {
    const { context, palette } = this;
    const { track, laneHeight } = row;
    row.track.lanes.forEach((lane, i) => {
      const top = laneTop(row, i);
      // The lane itself is drawn, so that idle time is seen as room and not as nothing.
      context.fillStyle = css(palette.sunk);
      context.globalAlpha = 0.75;
      context.fillRect(0, top, scene.width, laneHeight);
      context.globalAlpha = 1;
      const visitor: LaneVisitor = {
        slice: (x, width, slice) => this.slice(scene, x, width, top, laneHeight, slice),
        merged: (x, width, covered, waits) => {
          context.fillStyle = this.styles.merged(track.name, covered, waits);
          context.fillRect(x, top, width, laneHeight);
        },
        gap: (x, width, next) => i === 0 && this.gap(scene, x, width, top + laneHeight / 2, next),
      };
      visitLane(lane, scene.view, scene.width, visitor);
    });
  }

  private slice(scene: Scene, x: number, wide: number, top: number, high: number, slice: Slice): void {
    const { context } = this;
    const style = this.styles.of(slice.track, slice.name);
    const left = Math.max(x, -4);
    // A hair of room between neighbours, where there is any to give.
    const width = Math.min(x + wide, scene.width + 4) - left - (wide > 4 ? 1 : 0);
    context.fillStyle = style.fill;
    const round = width > 8 && high > 12;
    if (round) {
      context.beginPath();
      context.roundRect(left, top, width, high, 3);
      context.fill();
    } else context.fillRect(left, top, width, high);
    if (style.wait && width > 5) this.hatch(left, top, width, high, x, style.line, round);
    this.label(scene, slice, left, width, top, high);
  }

  private hatch(
    x: number,
    y: number,
    width: number,
    height: number,
    origin: number,
    colour: string,
    round: boolean,
  ): void {
    const { context } = this;
    const pattern = this.pattern(colour);
    if (pattern) {
      // The hatching belongs to the slice and moves with it.
      pattern.setTransform(new DOMMatrix([1 / this.ratio, 0, 0, 1 / this.ratio, origin % 8, y % 8]));
      context.fillStyle = pattern;
      context.globalAlpha = 0.32;
      if (round) context.fill();
      else context.fillRect(x, y, width, height);
    }
    context.globalAlpha = 0.55;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    if (round) {
      context.beginPath();
      context.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, 2.5);
      context.stroke();
    } else context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    context.globalAlpha = 1;
  }

  private pattern(colour: string): CanvasPattern | null {
    const known = this.hatches.get(colour);
    if (known !== undefined) return known;
    const size = Math.round(8 * this.ratio);
    const tile = document.createElement("canvas");
    tile.width = size;
    tile.height = size;
    const context = tile.getContext("2d");
    if (context) {
      context.strokeStyle = colour;
      context.lineWidth = this.ratio;
      context.beginPath();
      for (const shift of [-size, 0, size]) {
        context.moveTo(shift - 1, size + 1);
        context.lineTo(shift + size + 1, -1);
      }
      context.stroke();
    }
    const pattern = this.context.createPattern(tile, "repeat");
    this.hatches.set(colour, pattern);
    return pattern;
  }

  private label(scene: Scene, slice: Slice, left: number, width: number, top: number, high: number): void {
    const { context } = this;
    if (high < 14) return;
    const start = Math.max(left, 0);
    const room = Math.min(left + width, scene.width) - start - 12;
    if (room < LEAST_LABEL) return;
    const style = this.styles.of(slice.track, slice.name);
    context.font = `11.5px ${this.font}`;
    context.textAlign = "left";
    const text = this.shortened(sliceLabel(slice.name), room);
    if (text === "") return;
    if (style.wait) {
      // A plain patch behind the words: hatching would cross them.
      context.fillStyle = style.fill;
      context.fillRect(start + 3, top + high / 2 - 8, this.measure(text) + 7, 16);
    }
    context.fillStyle = style.text;
    context.fillText(text, start + 6, top + high / 2 + 0.5);
  }

  private gap(scene: Scene, x: number, width: number, middle: number, next: Slice): void {
    const { context } = this;
    const left = Math.max(x, 0);
    const room = Math.min(x + width, scene.width) - left - 16;
    if (room < LEAST_GAP_LABEL) return;
    context.font = `11px ${this.font}`;
    const text = [`idle until ${sliceLabel(next.name)}`, "idle"].find((words) => this.measure(words) <= room);
    if (!text) return;
    context.textAlign = "center";
    context.fillStyle = css(this.palette.soft);
    context.fillText(text, left + 8 + room / 2, middle + 0.5);
  }

  private measure(text: string): number {
    const key = `${this.context.font}\n${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      width = this.context.measureText(text).width;
      this.widths.set(key, width);
    }
    return width;
  }

  private shortened(text: string, room: number): string {
    const whole = this.measure(text);
    if (whole <= room) return text;
    const letters = Math.floor((text.length * (room - 8)) / whole);
    return letters < 3 ? "" : `${text.slice(0, letters).trimEnd()}…`;
  }

  private versions(scene: Scene): void {
    const { context, palette } = this;
    const { marks } = scene.index;
    const begin = firstAbove(marks, scene.view.from, ({ at }) => at);
    const end = firstAbove(marks, scene.view.to, ({ at }) => at);
    const step = versionStep(end - begin, scene.width, VERSION_SPACING);
    const dense = (end - begin) * 5 > scene.width;
    const bottom = scene.layout.height;
    context.font = `600 11px ${this.font}`;
    context.textAlign = "left";
    for (let i = begin; i < end; i++) {
      const { name, at } = marks[i];
      const version = versionOf(name);
      const numbered = version === null || version % step === 0;
      if (dense && !numbered) continue;
      const x = Math.round(this.x(scene, at));
      const colour = css(version === null ? palette.ink : palette.stages.weights);
      context.fillStyle = colour;
      context.globalAlpha = numbered ? 0.65 : 0.35;
      context.fillRect(x, numbered ? RULER : HEAD, 1, bottom - RULER);
      context.globalAlpha = 1;
      if (!numbered) continue;
      const label = version === null ? name : `v${version}`;
      if (x + 5 + this.measure(label) <= scene.width)
        context.fillText(label, x + 5, RULER + VERSIONS / 2 - 1);
    }
  }

  private level(scene: Scene, row: LevelRow): void {
    const { context, palette } = this;
    const points = scene.index.levels.get(row.name) ?? [];
    const begin = Math.max(0, firstAbove(points, scene.view.from, ({ at }) => at) - 1);
    const end = Math.min(points.length, firstAbove(points, scene.view.to, ({ at }) => at) + 1);
    const shown = points.slice(begin, end);
    const most = shown.reduce((peak, { value }) => Math.max(peak, value), 0);
    const bottom = row.y + row.height;
    const high = bottom - row.curveY;
    context.fillStyle = css(palette.line);
    context.fillRect(0, bottom - 1, scene.width, 1);
    if (most <= 0) return;
    context.fillStyle = css(palette.soft);
    context.globalAlpha = 0.35;
    for (let i = 0; i < shown.length; i++) {
      const x = Math.max(0, this.x(scene, shown[i].at));
      // The highest of a pixel stands for all of it.
      let { value } = shown[i];
      while (i + 1 < shown.length && this.x(scene, shown[i + 1].at) - x < 1)
        value = Math.max(value, shown[++i].value);
      const right =
        i + 1 < shown.length
          ? this.x(scene, shown[i + 1].at)
          : Math.min(scene.width, this.x(scene, scene.index.last));
      const height = (value / most) * (high - 2);
      if (right > x) context.fillRect(x, bottom - height, right - x, height);
    }
    context.globalAlpha = 1;
    context.font = `11px ${this.font}`;
    context.textAlign = "right";
    context.fillText(`most ${Number(most.toPrecision(4))}`, scene.width - 6, row.curveY + 8);
  }

  private arrows(scene: Scene): void {
    const { context } = this;
    const rows = new Map(scene.layout.rows.map((row) => [row.track.name, row]));
    const drawn = new Set<string>();
    const trace = (arrow: Arrow, head: boolean) => {
      const from = rows.get(arrow.from.track);
      const to = rows.get(arrow.to.track);
      if (!from || !to) return;
      const x0 = this.x(scene, arrow.from.at);
      const x1 = this.x(scene, arrow.to.at);
      const key = `${from.y} ${to.y} ${Math.round(x0 / 3)} ${Math.round(x1 / 3)}`;
      if (drawn.has(key) || drawn.size > MOST_FAINT) return;
      drawn.add(key);
      const down = from.y <= to.y;
      const y0 = down ? from.lanesY + from.laneHeight * 0.8 : from.lanesY + from.laneHeight * 0.2;
      const y1 = down ? to.lanesY : to.lanesY + to.laneHeight;
      const bend = Math.min(60, Math.max(14, Math.abs(x1 - x0) * 0.4));
      context.beginPath();
      context.moveTo(x0, y0);
      context.bezierCurveTo(x0 + bend, y0, x1 - bend * 0.4, y1 + (down ? -bend : bend), x1, y1);
      context.stroke();
      if (!head) return;
      context.beginPath();
      context.arc(x0, y0, 2, 0, Math.PI * 2);
      context.moveTo(x1, y1 + (down ? 1 : -1));
      context.lineTo(x1 - 4, y1 + (down ? -7 : 7));
      context.lineTo(x1 + 4, y1 + (down ? -7 : 7));
      context.fill();
    };
    context.strokeStyle = css(this.palette.ink);
    context.fillStyle = css(this.palette.ink);
    context.lineWidth = 1;
    context.globalAlpha = 0.22;
    for (const arrow of scene.faint) trace(arrow, false);
    drawn.clear();
    context.globalAlpha = 0.85;
    context.lineWidth = 1.25;
    for (const arrow of scene.arrows) trace(arrow, true);
    context.globalAlpha = 1;
  }

  private outline(scene: Scene, slice: Slice, weight: number, colour: Palette["ink"]): void {
    const { context } = this;
    const row = scene.layout.rows.find(({ track }) => track.name === slice.track);
    if (!row) return;
    const lane = row.track.lanes.findIndex((slices) => holds(slices, slice));
    if (lane < 0) return;
    const x = Math.max(-8, this.x(scene, slice.start));
    const right = Math.min(scene.width + 8, this.x(scene, slice.end));
    const top = laneTop(row, lane);
    context.lineWidth = weight;
    context.strokeStyle = css(colour);
    context.beginPath();
    context.roundRect(
      x - weight,
      top - weight,
      Math.max(right - x, 1) + 2 * weight - 1,
      row.laneHeight + 2 * weight,
      4,
    );
    context.stroke();
  }
}

function holds(lane: readonly Slice[], slice: Slice): boolean {
  const near = firstEndingAfter(lane, slice.start);
  return lane[near] === slice || lane[near - 1] === slice;
}
