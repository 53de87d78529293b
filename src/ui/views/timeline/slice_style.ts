/**
 * How slices look: a solid fill for a worker's work, a pale hatched one for waits, a lighter one hatched the other way for
 * its GPU's work, and text that is read on it.
 */
import { gpuOwnerOf } from "../../../metrics/trace.ts";
import type { StageName } from "../../state/records.ts";
import { colourStage, isWait, shadeOf, stageOf } from "./activities.ts";
import { css, mix, type Palette, type Rgb, readableOn } from "./palette.ts";
import type { Hatch } from "./pencil.ts";

export interface SliceStyle {
  fill: string;
  text: string;
  /** The stage's own colour, for outlines and hatching. */
  line: string;
  wait: boolean;
  /** Which way it is hatched; null where it is solid. */
  hatch: Hatch | null;
}

/** How much of the stage's colour is in a GPU's. */
const GPU_TINT = 0.3;

/** The fill of a stage's slices of one name as CSS, for what lies outside the canvas. */
export function fillOf(stage: StageName, name: string): string {
  const shade = shadeOf(name);
  return `color-mix(in srgb, var(--${stage}), var(--${shade < 0 ? "card" : "ink"}) ${Math.abs(shade) * 100}%)`;
}

/** Styles by track and name, made once for each palette. */
export class SliceStyles {
  private readonly palette: Palette;
  private readonly known = new Map<string, SliceStyle>();
  private readonly shades = new Map<string, string>();

  constructor(palette: Palette) {
    this.palette = palette;
  }

  of(track: string, name: string): SliceStyle {
    const key = `${track}\n${name}`;
    let style = this.known.get(key);
    if (!style) {
      style = this.make(track, name);
      this.known.set(key, style);
    }
    return style;
  }

  /** The fill of gathered slices. */
  merged(track: string, covered: number, waits: boolean): string {
    const key = `${track}\n${covered}${waits}`;
    let shade = this.shades.get(key);
    if (!shade) {
      const work = gpuOwnerOf(track) === null ? 0.25 + covered * 0.75 : 0.15 + covered * 0.4;
      shade = css(mix(this.palette.sunk, this.stage(track), waits ? 0.08 + covered * 0.2 : work));
      this.shades.set(key, shade);
    }
    return shade;
  }

  private stage(track: string): Rgb {
    const stage = stageOf(track);
    return stage ? this.palette.stages[stage] : this.palette.other;
  }

  private make(track: string, name: string): SliceStyle {
    const { palette } = this;
    const owner = colourStage(track, name);
    const base = owner ? palette.stages[owner] : palette.other;
    if (isWait(name)) {
      const fill = mix(palette.card, base, 0.1);
      return {
        fill: css(fill),
        text: css(mix(base, palette.ink, 0.45)),
        line: css(base),
        wait: true,
        hatch: "up",
      };
    }
    if (gpuOwnerOf(track) !== null) {
      const fill = mix(palette.card, base, GPU_TINT);
      return { fill: css(fill), text: css(readableOn(fill)), line: css(base), wait: false, hatch: "down" };
    }
    const shade = shadeOf(name);
    const fill = mix(base, shade < 0 ? palette.card : palette.ink, Math.abs(shade));
    return { fill: css(fill), text: css(readableOn(fill)), line: css(base), wait: false, hatch: null };
  }
}
