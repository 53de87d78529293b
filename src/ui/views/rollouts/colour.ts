/** Colours by lightness, chroma and hue (OKLCH, Ottosson 2020) as sRGB, and how well text reads on them (WCAG 2.2). */

/** Red, green and blue from 0 to 255. */
export type Rgb = readonly [number, number, number];

function toLinear(channel: number): number {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function fromLinear(c: number): number {
  return 255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);
}

function linearOf(lightness: number, chroma: number, hue: number): [number, number, number] {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** Takes chroma away until the colour exists in sRGB; the lightness, and with it the contrast, stays. */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  let linear = linearOf(lightness, chroma, hue);
  for (let c = chroma; c > 0 && linear.some((v) => v < -1e-4 || v > 1.0001); c -= 0.004)
    linear = linearOf(lightness, Math.max(0, c), hue);
  return linear.map((v) => Math.round(fromLinear(Math.min(1, Math.max(0, v))))) as unknown as Rgb;
}

export function luminance([r, g, b]: Rgb): number {
  return 0.2126 * toLinear(r) + 0.7152 * toLinear(g) + 0.0722 * toLinear(b);
}

/** From 1 (the same) to 21 (black on white); text needs 4.5. */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

export function hexOf(rgb: Rgb): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}

/** One colour for each theme. */
export interface ThemedColour {
  light: Rgb;
  dark: Rgb;
}

/** As CSS, which follows the theme by itself. */
export function cssOf({ light, dark }: ThemedColour): string {
  return `light-dark(${hexOf(light)}, ${hexOf(dark)})`;
}

/** Text on every heat colour: `--ink` of theme.css. */
export const INK: ThemedColour = { light: [0x1c, 0x1d, 0x1f], dark: [0xec, 0xed, 0xee] };

/**
 * A tint of a hue, from 0 (a grey just off the card, so that tokens show their ends) to 1. Lightness never goes further than the ink can stand: 0.76
 * under dark ink and 0.46 under light ink leave at least 5:1.
 */
export function tint(hue: number, strength: number): ThemedColour {
  return {
    light: oklch(0.968 - 0.198 * strength, 0.135 * strength, hue),
    dark: oklch(0.3 + 0.16 * strength, 0.115 * strength, hue),
  };
}
