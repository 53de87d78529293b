import { expect, test } from "vitest";
import { contrast, cssOf, hexOf, luminance, oklch } from "../../../../src/ui/views/rollouts/colour.ts";

test("contrast() is 21 for black on white and 1 for the same, whichever comes first", () => {
  expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 10);
  expect(contrast([255, 255, 255], [0, 0, 0])).toBeCloseTo(21, 10);
  expect(contrast([9, 9, 9], [9, 9, 9])).toBe(1);
});

test("contrast() of #767676 on white is the known 4.54", () => {
  expect(contrast([0x76, 0x76, 0x76], [255, 255, 255])).toBeCloseTo(4.54, 2);
});

test("oklch() meets sRGB's corners", () => {
  expect(oklch(1, 0, 0)).toEqual([255, 255, 255]);
  expect(oklch(0, 0, 0)).toEqual([0, 0, 0]);
  expect(oklch(0.62796, 0.25768, 29.234)).toEqual([255, 0, 0]);
  expect(oklch(0.45201, 0.31321, 264.052)).toEqual([0, 0, 255]);
});

test("oklch() takes away chroma that does not exist, and keeps the lightness", () => {
  const grey = luminance(oklch(0.8, 0, 0));
  const vivid = oklch(0.8, 0.4, 25);
  expect(Math.abs(luminance(vivid) - grey)).toBeLessThan(0.1);
  expect(Math.max(...vivid)).toBeLessThanOrEqual(255);
});

test("cssOf() follows the theme", () => {
  expect(hexOf([0, 10, 255])).toBe("#000aff");
  expect(cssOf({ light: [255, 255, 255], dark: [0, 0, 0] })).toBe("light-dark(#ffffff, #000000)");
});
