import { describe, expect, it } from "vitest";
import { marksOf, turnedInWords } from "../../../../src/ui/views/learning/knob_marks.ts";
import { tableOf } from "./fixtures.ts";

const turned = [
  { step: 2, knobs: { temperature: 0.8 } },
  { step: 3, knobs: { learningRate: 1e-4, epsilonHigh: 0.35 } },
];

describe("turned knobs", () => {
  it("are marked where they were turned, in short", () => {
    expect(marksOf(turned, tableOf(4), "time")).toEqual([
      { x: 4, label: "temp 0.8" },
      { x: 6, label: "ε 0.35, lr 1e-4" },
    ]);
    expect(marksOf(turned, tableOf(4), "step").map(({ x }) => x)).toEqual([2, 3]);
  });

  it("are told in a sentence", () => {
    expect(turnedInWords(turned)).toBe(
      "Turned after step 2: temperature 0.8; after step 3: ε high 0.35, learning rate 1e-4.",
    );
    expect(turnedInWords([])).toBe("");
  });
});
