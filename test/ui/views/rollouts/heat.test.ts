import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrast, hexOf, INK } from "../../../../src/ui/views/rollouts/colour.ts";
import {
  alongLegend,
  HEATS,
  heatColour,
  heatCss,
  heatText,
  heatValues,
  legendColours,
  missingHeat,
  positionOn,
  SCALES,
  tickText,
  usableHeat,
  versionChanges,
  versionRuns,
} from "../../../../src/ui/views/rollouts/heat.ts";
import { row } from "./rows.ts";

/** What AA asks of text. */
const AA = 4.5;
const VALUES = [-1e9, -40, -4, -2, -1, -0.3, 0, 0.2, 0.5, 0.8, 1, 1.1, 1.5, 2, 3, 7, 1e9, Number.NaN];

describe("text on every heat colour", () => {
  test.each(HEATS)("%s keeps AA contrast in both themes", (kind) => {
    for (const value of kind === "version" ? [0, 1, 2, 3, 4, 12, 13] : VALUES) {
      const { light, dark } = heatColour(kind, value);
      expect(contrast(light, INK.light), `${value} light`).toBeGreaterThanOrEqual(AA);
      expect(contrast(dark, INK.dark), `${value} dark`).toBeGreaterThanOrEqual(AA);
    }
  });

  test("the inks are those of the theme", () => {
    const css = readFileSync(new URL("../../../../src/ui/theme.css", import.meta.url), "utf8");
    const inks = [...css.matchAll(/--ink: (#[0-9a-f]{6})/g)].map(([, ink]) => ink);
    expect(inks).toEqual([hexOf(INK.light), hexOf(INK.dark)]);
  });

  test("the ends of a scale can be told from its middle", () => {
    for (const kind of ["logprob", "entropy", "ratio", "advantage"] as const) {
      const { from, to, centre, shape } = SCALES[kind];
      const start = shape === "diverging" ? centre : from;
      expect(contrast(heatColour(kind, start).light, heatColour(kind, to).light), kind).toBeGreaterThan(1.4);
      expect(contrast(heatColour(kind, start).dark, heatColour(kind, to).dark), kind).toBeGreaterThan(1.4);
    }
  });

  test("neighbouring versions never look the same", () => {
    for (let version = 0; version < 9; version++)
      expect(heatCss("version", version)).not.toBe(heatCss("version", version + 1));
  });
});

describe("scales", () => {
  test("log-probabilities grow towards the surprising and stop at the end", () => {
    expect([0, -1, -4, -50].map((v) => positionOn(SCALES.logprob, v))).toEqual([0, 0.25, 1, 1]);
  });

  test("a ratio and its inverse are as far from 1", () => {
    const { ratio } = SCALES;
    expect(positionOn(ratio, 1)).toBe(0);
    expect(positionOn(ratio, 1.25)).toBeCloseTo(-positionOn(ratio, 0.8), 10);
    expect(positionOn(ratio, 0)).toBe(-1);
    expect(alongLegend(ratio, 1)).toBe(0.5);
  });

  test("advantages lie to either side of zero", () => {
    expect([-3, -1, 0, 2].map((v) => positionOn(SCALES.advantage, v))).toEqual([-1, -0.5, 0, 1]);
  });

  test("every tick lies within the legend, in order", () => {
    for (const kind of HEATS) {
      const places = SCALES[kind].ticks.map((tick) => alongLegend(SCALES[kind], tick));
      expect(places, kind).toEqual([...places].sort((a, b) => a - b));
      expect(places.every((place) => place >= 0 && place <= 1)).toBe(true);
    }
  });

  test("the legend's ends are the colours of the scale's ends", () => {
    const { ratio } = SCALES;
    const colours = legendColours("ratio");
    expect(colours[0]).toBe(heatCss("ratio", ratio.from));
    expect(colours[4]).toBe(heatCss("ratio", 1));
    expect(colours.at(-1)).toBe(heatCss("ratio", ratio.to));
  });

  test("writes values with true minus signs and versions with a v", () => {
    expect(heatText("logprob", -1.234)).toBe("−1.23");
    expect(heatText("advantage", 0.5)).toBe("+0.50");
    expect(heatText("version", 12)).toBe("v12");
    expect(SCALES.ratio.ticks.map((tick) => tickText("ratio", tick))).toEqual([
      "0.67",
      "0.8",
      "1",
      "1.25",
      "1.5",
    ]);
    expect(SCALES.advantage.ticks.map((tick) => tickText("advantage", tick))).toEqual([
      "−2",
      "−1",
      "0",
      "+1",
      "+2",
    ]);
  });
});

describe("what was recorded", () => {
  test("an advantage holds for every token", () => {
    expect(heatValues("advantage", row({ advantage: -0.5 }))).toEqual([-0.5, -0.5, -0.5]);
  });

  test("empty arrays are missing and say why", () => {
    expect(missingHeat("ratio", row())).toContain("No ratios were recorded");
    expect(missingHeat("entropy", row())).toContain("No entropies");
    expect(missingHeat("advantage", row())).toContain("No advantage");
    expect(missingHeat("logprob", row())).toBeNull();
    expect(missingHeat("ratio", row({ ratios: [1, 1, 1] }))).toBeNull();
  });

  test("a heat that is missing gives way to one that is there", () => {
    expect(usableHeat("ratio", row())).toBe("logprob");
    expect(usableHeat("ratio", row({ ratios: [1, 1, 1] }))).toBe("ratio");
    expect(usableHeat("ratio", row({ logprobs: [], versions: [] }))).toBeNull();
  });
});

describe("policy versions within a completion", () => {
  test("run until the weights change", () => {
    expect(versionRuns([12, 12, 13, 15, 15])).toEqual([
      { version: 12, from: 0, to: 2 },
      { version: 13, from: 2, to: 3 },
      { version: 15, from: 3, to: 5 },
    ]);
    expect(versionRuns([])).toEqual([]);
  });

  test("are marked before the first token of the newer weights", () => {
    expect([...versionChanges([12, 12, 13, 15])]).toEqual([
      [2, "v12→v13"],
      [3, "v13→v15"],
    ]);
    expect(versionChanges([4, 4]).size).toBe(0);
  });
});
