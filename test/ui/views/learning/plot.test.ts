import { describe, expect, it } from "vitest";
import { alignTables } from "../../../../src/ui/parts/chart_columns.ts";
import { CHARTS, type ChartId } from "../../../../src/ui/views/learning/definitions.ts";
import { DASHES, plotPanel } from "../../../../src/ui/views/learning/plot.ts";
import { evaluationOf, RECIPE, SOUND, tableOf } from "./fixtures.ts";

const panelOf = (id: ChartId) => CHARTS.find((chart) => chart.id === id)!.panels[0];
const settings = { axis: "step" as const, smoothing: 0.5, recipe: RECIPE };
const before = [evaluationOf(0, "before", 0.4)];

describe("plotPanel()", () => {
  it("draws the raw line as a ghost behind the smoothed one", () => {
    const { lines, tables } = plotPanel(panelOf("entropy"), [tableOf(3, { entropy: (i) => i })], settings);
    expect(lines.map(({ width, alpha }) => [width, alpha])).toEqual([
      [1, 0.35],
      [2, 1],
    ]);
    expect([...tables[0].columns[0]]).toEqual([0, 1, 2]);
    expect(tables[0].columns[1][2]).toBeLessThan(2);
  });

  it("fills ± the deviation around the mean", () => {
    const run = tableOf(2, { reward: 0.5, reward_std: 0.2 }, before);
    const { lines, bands, tables } = plotPanel(panelOf("reward"), [run], settings);
    const [{ upper, lower }] = bands;
    expect(tables[0].columns[upper][1]).toBeCloseTo(0.7, 12);
    expect(tables[0].columns[lower][1]).toBeCloseTo(0.3, 12);
    expect(lines[upper].width).toBe(0);
  });

  it("has a line for every column, in their order", () => {
    const runs = [tableOf(5, SOUND, before), tableOf(3, SOUND, before), tableOf(0)];
    for (const { panels } of CHARTS)
      for (const panel of panels) {
        const { lines, tables, bands } = plotPanel(panel, runs, settings);
        expect(lines.length, panel.caption).toBe(alignTables(tables).length - 1);
        for (const { upper, lower } of bands) expect(Math.max(upper, lower)).toBeLessThan(lines.length);
      }
  });

  it("draws runs beside it by their smoothed lines alone, each with a dash of its own", () => {
    const runs = [tableOf(5, SOUND), tableOf(5, SOUND), tableOf(5, SOUND)];
    const { lines, bands } = plotPanel(panelOf("reward"), runs, settings);
    const smoothed = lines.filter(({ width }) => width === 2);
    expect(smoothed.map(({ dash }) => dash)).toEqual([undefined, DASHES[0], DASHES[1]]);
    expect(lines.filter(({ alpha }) => alpha === 0.35)).toHaveLength(1);
    expect(bands).toHaveLength(1);
    expect(lines.filter(({ dots }) => dots !== undefined)).toHaveLength(3);
  });

  it("draws what is too small for a logarithmic axis at its floor", () => {
    const run = tableOf(3, { "trainer/mismatch_kl": (index) => [3e-14, 0, 0.02][index] });
    const { tables, yRange } = plotPanel(panelOf("mismatch"), [run], { ...settings, smoothing: 0 });
    expect([...tables[0].columns[0]]).toEqual([1e-6, 1e-6, 0.02]);
    expect(yRange[0]).toBe(1e-6);
    expect(yRange[1]).toBeCloseTo(0.1, 12);
  });

  it("makes room for all runs", () => {
    const runs = [tableOf(3, { entropy: 0.1 }), tableOf(3, { entropy: 0.7 })];
    expect(plotPanel(panelOf("entropy"), runs, settings).yRange[1]).toBe(0.8);
  });
});
