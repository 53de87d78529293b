/** What a canvas lacks for labels and waits: text that is measured once and shortened to fit, and hatching. */

/** Pixels from one hatching line to the next. */
const HATCH = 8;

/** From the lower left to the upper right, or from the upper left to the lower right. */
export type Hatch = "up" | "down";

/** Fewer letters than these say nothing of the rest. */
const LEAST_LETTERS = 7;

export class Pencil {
  readonly context: CanvasRenderingContext2D;
  private readonly family: string;
  private readonly ratio: number;
  private readonly patterns = new Map<string, CanvasPattern | null>();
  private readonly widths = new Map<string, number>();
  private style = "";

  constructor(context: CanvasRenderingContext2D, family: string, ratio: number) {
    this.context = context;
    this.family = family;
    this.ratio = ratio;
  }

  /** Begins a picture: pixels of CSS from here on. */
  clear(width: number, height: number): void {
    const { context, ratio } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.textBaseline = "middle";
    this.style = "";
  }

  /** @param style size and weight, as in `600 11px` */
  font(style: string): void {
    if (style === this.style) return;
    this.style = style;
    this.context.font = `${style} ${this.family}`;
  }

  measure(text: string): number {
    const key = `${this.style}\n${text}`;
    let width = this.widths.get(key);
    if (width === undefined) {
      width = this.context.measureText(text).width;
      this.widths.set(key, width);
    }
    return width;
  }

  /** As much of the text as fits, "" where that says nothing. */
  shorten(text: string, room: number): string {
    const whole = this.measure(text);
    if (whole <= room) return text;
    const letters = Math.floor((text.length * (room - 8)) / whole);
    return letters < LEAST_LETTERS ? "" : `${text.slice(0, letters).trimEnd()}…`;
  }

  text(text: string, x: number, y: number, colour: string, align: CanvasTextAlign = "left"): void {
    this.context.textAlign = align;
    this.context.fillStyle = colour;
    this.context.fillText(text, x, y);
  }

  /** Fills and outlines a box with lines that move with `origin`. */
  hatch(
    box: { x: number; y: number; width: number; height: number },
    origin: number,
    colour: string,
    radius: number,
    way: Hatch,
  ): void {
    const { context, ratio } = this;
    const { x, y, width, height } = box;
    const pattern = this.pattern(colour, way);
    context.beginPath();
    context.roundRect(x + 0.5, y + 0.5, width - 1, height - 1, radius);
    if (pattern) {
      pattern.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, origin % HATCH, y % HATCH]));
      context.fillStyle = pattern;
      context.globalAlpha = 0.32;
      context.fill();
    }
    context.globalAlpha = 0.55;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.stroke();
    context.globalAlpha = 1;
  }

  private pattern(colour: string, way: Hatch): CanvasPattern | null {
    const known = this.patterns.get(colour + way);
    if (known !== undefined) return known;
    const size = Math.round(HATCH * this.ratio);
    const tile = document.createElement("canvas");
    tile.width = size;
    tile.height = size;
    const context = tile.getContext("2d");
    if (context) {
      context.strokeStyle = colour;
      context.lineWidth = this.ratio;
      context.beginPath();
      for (const shift of [-size, 0, size]) {
        context.moveTo(shift - 1, way === "up" ? size + 1 : -1);
        context.lineTo(shift + size + 1, way === "up" ? -1 : size + 1);
      }
      context.stroke();
    }
    const pattern = this.context.createPattern(tile, "repeat");
    this.patterns.set(colour + way, pattern);
    return pattern;
  }
}
