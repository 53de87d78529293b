import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { describeFields, findField } from "../../../../src/config/describe.ts";
import {
  fromSlider,
  keyStep,
  SLIDER_STEPS,
  slideFrom,
  sliderScale,
  toSlider,
} from "../../../../src/ui/views/settings/slider.ts";

const fieldAt = (path: string) => findField(path) as NonNullable<ReturnType<typeof findField>>;
const scaled = describeFields().flatMap((field) => {
  const scale = sliderScale(field);
  return scale ? [{ field, scale }] : [];
});

describe("sliderScale()", () => {
  it("has sliders where a range spans decades, and only there", () => {
    expect(sliderScale(fieldAt("trainer.learningRate"))).toEqual({ min: 1e-6, max: 1, whole: false });
    expect(sliderScale(fieldAt("trainer.batchSize"))).toEqual({ min: 2, max: 65536, whole: true });
    for (const path of ["generator.workers", "seed", "mode", "generator.topP", "trainer.maxStaleness"]) {
      expect(sliderScale(fieldAt(path))).toBeNull();
    }
  });

  it("can be set to the default of its field, or near it", () => {
    for (const { field, scale } of scaled) {
      if (typeof field.default !== "number") continue;
      const back = fromSlider(toSlider(field.default, scale), scale);
      expect(Math.abs(back / field.default - 1)).toBeLessThan(0.05);
    }
  });
});

describe("fromSlider()", () => {
  it("stays in bounds, rises, and gives round numbers", () => {
    fc.assert(
      fc.property(fc.constantFrom(...scaled), fc.nat(SLIDER_STEPS), ({ scale, field }, position) => {
        const value = fromSlider(position, scale);
        expect(value).toBeGreaterThanOrEqual(field.min as number);
        expect(value).toBeLessThanOrEqual(field.max as number);
        expect(fromSlider(position + 1, scale)).toBeGreaterThanOrEqual(value);
        if (scale.whole) expect(Number.isInteger(value)).toBe(true);
        const inside = position > 0 && position < SLIDER_STEPS;
        if (inside) expect(value.toExponential().replace(/e.*|\./g, "").length).toBeLessThanOrEqual(2);
      }),
    );
  });

  it("takes both ends exactly, and values beyond them", () => {
    const scale = { min: 0.01, max: 10, whole: false };
    expect([0, SLIDER_STEPS].map((at) => fromSlider(at, scale))).toEqual([0.01, 10]);
    expect([0, -1, 99].map((value) => toSlider(value, scale))).toEqual([0, 0, SLIDER_STEPS]);
  });
});

describe("slideFrom()", () => {
  it("gets from one end to the other by the arrow keys, and back", () => {
    for (const { scale } of scaled) {
      for (const [from, to, way] of [
        [scale.min, scale.max, 1],
        [scale.max, scale.min, -1],
      ]) {
        let value = from;
        for (let presses = 0; value !== to; presses++) {
          // What a browser's range input with whole steps holds after one press.
          const next = slideFrom(value, Math.round(toSlider(value, scale)) + way, scale);
          expect(Math.sign(next - value)).toBe(way);
          expect(presses).toBeLessThan(2 * SLIDER_STEPS);
          value = next;
        }
      }
    }
  });
});

describe("keyStep()", () => {
  it("goes by the size of the default", () => {
    expect(keyStep(fieldAt("trainer.learningRate"))).toBeCloseTo(1e-4, 12);
    expect(keyStep(fieldAt("generator.temperature"))).toBeCloseTo(0.1, 12);
    expect(keyStep(fieldAt("trainer.batchSize"))).toBe(1);
    expect(keyStep(fieldAt("trainer.epsilonLow"))).toBeCloseTo(0.1, 12);
  });
});
