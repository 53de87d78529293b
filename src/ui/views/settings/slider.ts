/** Sliders over values that span decades: equal ways are equal factors, and what they give is a round number. */
import type { FieldMeta } from "../../../config/field.ts";

export interface SliderScale {
  min: number;
  max: number;
  /** Whole numbers only. */
  whole: boolean;
}

/** Steps from one end of a slider to the other. */
export const SLIDER_STEPS = 240;
const DECADES = 1000;

/**
 * The scale of a field's slider, or null where its range is narrow enough for the keys. A range from 0 begins three
 * decades under the default: 0 itself is typed.
 */
export function sliderScale(field: FieldMeta & { default?: unknown }): SliderScale | null {
  const { kind, min, max } = field;
  if ((kind !== "number" && kind !== "integer") || min === undefined || max === undefined) return null;
  const whole = kind === "integer";
  const standard = typeof field.default === "number" ? field.default : 0;
  // What is of interest then lies near the upper end, where such a scale has no room.
  if (standard === max) return null;
  if (min > 0) return max / min >= DECADES ? { min, max, whole } : null;
  if (min < 0 || standard <= 0 || max / standard < DECADES) return null;
  return { min: whole ? 1 : 10 ** (Math.floor(Math.log10(standard)) - 2), max, whole };
}

/** Rounds to two digits: sliders are for finding the order, keys for the last digit. */
export function roundTwo(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(2));
}

/** Where a value stands on the scale, from 0 to `SLIDER_STEPS`. */
export function toSlider(value: number, { min, max }: SliderScale): number {
  if (!(value > min)) return 0;
  if (value >= max) return SLIDER_STEPS;
  return (Math.log(value / min) / Math.log(max / min)) * SLIDER_STEPS;
}

/** The value at a place of the scale, rounded, and within it. */
export function fromSlider(position: number, { min, max, whole }: SliderScale): number {
  if (position <= 0) return min;
  if (position >= SLIDER_STEPS) return max;
  const value = roundTwo(min * (max / min) ** (position / SLIDER_STEPS));
  return Math.min(max, Math.max(min, whole ? Math.round(value) : value));
}

/**
 * The value after the slider was moved. Where rounding would swallow the move, the next value in its direction: else
 * the arrow keys would stand still among small whole numbers.
 */
export function slideFrom(value: number, position: number, scale: SliderScale): number {
  const way = Math.sign(position - toSlider(value, scale));
  let at = position;
  while (way !== 0 && fromSlider(at, scale) === value && at > 0 && at < SLIDER_STEPS) at += way;
  return fromSlider(at, scale);
}

/** How far the arrow keys go: a unit of the digit before the default's first, or 1 for whole numbers. */
export function keyStep(field: FieldMeta & { default?: unknown }): number {
  if (field.kind === "integer") return 1;
  const { min = 0, max = 1 } = field;
  const standard = typeof field.default === "number" && field.default > 0 ? field.default : 0;
  const size = standard > 0 ? standard : max - min <= 2 ? 0.1 : 1;
  return 10 ** (Math.floor(Math.log10(size)) - (size >= 1 ? 1 : 0));
}
