/** Colours of the canvas, taken from the theme's tokens so that both change together. */
import { STAGES, type StageName } from "../../state/records.ts";

export type Rgb = readonly [number, number, number];

export interface Palette {
  card: Rgb;
  sunk: Rgb;
  line: Rgb;
  ink: Rgb;
  soft: Rgb;
  accent: Rgb;
  stages: Record<StageName, Rgb>;
  /** For tracks of no stage. */
  other: Rgb;
}

/** Reads `#rgb`, `#rrggbb`, `rgb(…)` as computed styles and tokens write them. @throws SyntaxError for anything else */
export function parseColour(text: string): Rgb {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim());
  if (hex) {
    const digits = hex[1].length === 3 ? [...hex[1]].map((digit) => digit + digit).join("") : hex[1];
    return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as unknown as Rgb;
  }
  const parts = /^rgba?\(([^)]+)\)$/i
    .exec(text.trim())?.[1]
    .split(/[\s,/]+/)
    .filter(Boolean)
    .map(Number);
  if (!parts || parts.length < 3 || parts.slice(0, 3).some(Number.isNaN))
    throw new SyntaxError(`Cannot read the colour "${text}": #rrggbb or rgb() is needed`);
  return [parts[0], parts[1], parts[2]];
}

/** @param share 0 gives `a`, 1 gives `b` */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  return [0, 1, 2].map((i) => Math.round(a[i] + (b[i] - a[i]) * share)) as unknown as Rgb;
}

export function css([r, g, b]: Rgb): string {
  return `rgb(${r} ${g} ${b})`;
}

/** Relative luminance by WCAG 2. */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [16, 17, 20];

/** White or near-black, whichever is read better on a colour. */
export function readableOn(colour: Rgb): Rgb {
  return contrast(colour, WHITE) >= contrast(colour, BLACK) ? WHITE : BLACK;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => parseColour(style.getPropertyValue(`--${name}`));
  return {
    card: token("card"),
    sunk: token("sunk"),
    line: token("line"),
    ink: token("ink"),
    soft: token("ink-soft"),
    accent: token("accent"),
    stages: Object.fromEntries(STAGES.map((stage) => [stage, token(stage)])) as Record<StageName, Rgb>,
    other: token("ink-soft"),
  };
}
