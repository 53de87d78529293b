import { describe, expect, it } from "vitest";
import { describeFields } from "../../../../src/config/describe.ts";
import { metricEntry } from "../../../../src/metrics/names.ts";
import { alertsOf } from "../../../../src/ui/views/learning/alerts.ts";
import { CHARTS } from "../../../../src/ui/views/learning/definitions.ts";
import { RECIPE, SOUND, tableOf } from "./fixtures.ts";

const panels = CHARTS.flatMap((chart) => chart.panels);

describe("the charts", () => {
  it("are eight, each with a title and a line on how to read it", () => {
    expect(CHARTS).toHaveLength(8);
    expect(new Set(CHARTS.map(({ id }) => id)).size).toBe(8);
    for (const { title, reading } of CHARTS) {
      expect(title).not.toBe("");
      expect(reading.length, title).toBeLessThanOrEqual(125);
    }
  });

  it("name metrics of the table only", () => {
    for (const { series } of panels)
      for (const { metric, spread } of series) {
        expect(metricEntry(metric), metric).not.toBeNull();
        if (spread) expect(metricEntry(spread), spread).not.toBeNull();
      }
  });

  it("take a stage's colour or that of the text", () => {
    const colors = ["--tasks", "--generator", "--verifier", "--trainer", "--weights", "--ink"];
    for (const { series } of panels) for (const { color } of series) expect(colors).toContain(color);
  });

  it("have a range before anything was measured", () => {
    for (const panel of panels) {
      const [low, high] = panel.range([], RECIPE);
      expect(high, panel.caption).toBeGreaterThan(low);
      expect(panel.range([], {})[1], panel.caption).toBeGreaterThan(0);
      if (panel.logarithmic) expect(low).toBeGreaterThan(0);
    }
  });

  it("show limits only where the recipe has them", () => {
    const limits = (recipe: Record<string, unknown>) =>
      panels.flatMap((panel) => panel.limit?.(recipe)?.label ?? []);
    expect(limits(RECIPE)).toEqual(["maxTokens 24", "maxGradNorm 1", "maxStaleness 1"]);
    expect(limits({ trainer: { maxGradNorm: 0 } })).toEqual([]);
  });
});

describe("the alerts' advice", () => {
  it("names settings that there are", () => {
    const paths = new Set(describeFields().map(({ path }) => path));
    const trouble: Parameters<typeof tableOf>[1][] = [
      { frac_reward_zero_std: 0.9, "completions/correct_ratio": 0.01 },
      { frac_reward_zero_std: 0.9, "completions/correct_ratio": 0.5 },
      { reward: (index) => 1 - 0.03 * index, entropy: (index) => (index < 5 ? 1 : 0.01) },
      { "completions/clipped_ratio": 0.5, grad_norm: (index) => (index === 25 ? 99 : 2) },
      { "trainer/mismatch_kl": 0.1, "clip_ratio/region_mean": 0.5, "trainer/idle_ratio": 0.9 },
      { "trainer/mismatch_kl": 0.1, "sample/staleness_mean": 0, "generator/idle_ratio": 0.9 },
      { "sample/dropped_stale_total": 20 },
    ];
    const named = trouble
      .flatMap((values) => alertsOf(tableOf(30, { ...SOUND, ...values }), RECIPE))
      .flatMap(({ advice }) => [...advice.matchAll(/`([a-z]+\.[A-Za-z]+)`/g)].map(([, path]) => path));
    expect(new Set(named).size).toBeGreaterThan(10);
    expect([...new Set(named)].filter((path) => !paths.has(path))).toEqual([]);
  });
});
