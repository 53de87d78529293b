import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { metricEntry, metricTable } from "../../src/metrics/names.ts";
import { MetricWindow } from "../../src/metrics/record.ts";

describe("the table of metrics", () => {
  it("names each once, explains it, and reduces by the name", () => {
    expect(new Set(metricTable.map(({ name }) => name)).size).toBe(metricTable.length);
    for (const { name, meaning, reduction } of metricTable) {
      expect(meaning.length, name).toBeGreaterThan(8);
      if (/(^|[/_])total($|[/_])/.test(name)) expect(reduction, name).toBe("sum");
      if (/(^|[/_])max($|[/_])/.test(name)) expect(reduction, name).toBe("max");
      if (/(^|[/_])min($|[/_])/.test(name)) expect(reduction, name).toBe("min");
      if (/_tok_s(_|$)|idle_ratio|mfu/.test(name)) expect(reduction, name).toBe("rate");
    }
    expect(metricEntry("clip_ratio/high_max")?.reduction).toBe("max");
    expect(metricEntry("completions/mean_terminated_length")?.reduction).toBe("mean");
  });

  it("knows patterns and evaluation, and nothing else", () => {
    expect(metricEntry("rewards/math_equal/std")?.name).toBe("rewards/{name}/std");
    expect(metricEntry("eval_pass@16")?.name).toBe("pass@{k}");
    expect(metricEntry("eval_reward")?.name).toBe("reward");
    for (const name of ["rewards/{name}/std", "pass@x", "Reward", "rewards/a/b/mean", "toString"]) {
      expect(metricEntry(name), name).toBeNull();
    }
  });
});

describe("MetricWindow", () => {
  it("adds totals, keeps extremes, averages the rest without NaN", () => {
    const window = new MetricWindow();
    window.add({ reward: 1, "verifier/timeouts_total": 2, "sample/staleness_max": 3, "ratio/min": 0.9 });
    window.add({
      reward: Number.NaN,
      "verifier/timeouts_total": 5,
      "sample/staleness_max": 1,
      "ratio/min": 0.8,
    });
    window.add({ reward: 2, learning_rate: 1e-3, grad_norm: null });
    window.add({ learning_rate: 5e-4, kl: Number.NaN });
    expect(window.flush()).toEqual({
      reward: 1.5,
      "verifier/timeouts_total": 7,
      "sample/staleness_max": 3,
      "ratio/min": 0.8,
      learning_rate: 5e-4,
      grad_norm: null,
      kl: null,
    });
    expect(window.flush()).toEqual({});
  });

  it("keeps extremes below zero", () => {
    const window = new MetricWindow();
    window.add({ "ratio/max": -3 });
    window.add({ "ratio/max": -5 });
    expect(window.flush()).toEqual({ "ratio/max": -3 });
  });

  it("reduces rates as sum over sum", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ numerator: fc.nat(1000), denominator: fc.integer({ min: 1, max: 9 }) }), {
          minLength: 1,
        }),
        (rates) => {
          const window = new MetricWindow();
          for (const rate of rates) window.add({ "rollout/generated_tok_s": rate });
          const total = (key: "numerator" | "denominator") => rates.reduce((sum, rate) => sum + rate[key], 0);
          expect(window.flush()["rollout/generated_tok_s"]).toBeCloseTo(
            total("numerator") / total("denominator"),
            9,
          );
        },
      ),
      { numRuns: 50 },
    );
    const window = new MetricWindow();
    window.add({
      "trainer/idle_ratio": { numerator: 0, denominator: 0 },
      reward: { numerator: 3, denominator: 2 },
    });
    expect(window.flush()).toEqual({ "trainer/idle_ratio": null, reward: 1.5 });
  });

  it("refuses unknown names, and own names that are taken", () => {
    const window = new MetricWindow();
    expect(() => window.add({ rewrad: 1 })).toThrow(/rewrad/);
    expect(() => window.addOwn("reward", 1)).toThrow(TypeError);
    window.addOwn("my/metric", 1);
    window.addOwn("my/metric", 2);
    expect(window.flush()).toEqual({ "my/metric": 1.5 });
  });
});
