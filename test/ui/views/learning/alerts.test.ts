import { describe, expect, it } from "vitest";
import { alertsOf } from "../../../../src/ui/views/learning/alerts.ts";
import { RECIPE, SOUND, tableOf } from "./fixtures.ts";

type Values = Parameters<typeof tableOf>[1];

const alerts = (values: Values, recipe: Record<string, unknown> = RECIPE, count = 30) =>
  alertsOf(tableOf(count, { ...SOUND, ...values }), recipe);
const alert = (id: string, values: Values, recipe?: Record<string, unknown>) =>
  alerts(values, recipe).find((found) => found.id === id);

describe("alertsOf()", () => {
  it("is silent about a sound run, about none, and about what was not measured", () => {
    expect(alerts({})).toEqual([]);
    expect(alerts({}, {})).toEqual([]);
    expect(alertsOf(tableOf(30), RECIPE)).toEqual([]);
    expect(alertsOf(tableOf(0), RECIPE)).toEqual([]);
  });

  it("is silent about the very first steps", () => {
    const troubled = { ...SOUND, "completions/clipped_ratio": 0.9 };
    expect(alertsOf(tableOf(4, troubled), RECIPE)).toEqual([]);
    expect(alertsOf(tableOf(5, troubled), RECIPE)).toHaveLength(1);
  });

  it("forgets what is past", () => {
    expect(alerts({ "completions/clipped_ratio": (index) => (index < 20 ? 0.9 : 0) })).toEqual([]);
  });

  it("puts warnings before notes", () => {
    const levels = alerts({ frac_reward_zero_std: 0.6, "completions/clipped_ratio": 0.5 }).map(
      ({ level }) => level,
    );
    expect(levels).toEqual(["warn", "note"]);
  });
});

describe("dead groups", () => {
  const dead = (share: number, values: Values, recipe?: Record<string, unknown>) =>
    alert("dead-groups", { frac_reward_zero_std: share, ...values }, recipe);

  it("tell from the mean that the task is too easy, and that this is no fault", () => {
    const found = dead(0.85, { "completions/correct_ratio": 0.96 });
    expect(found?.level).toBe("note");
    expect(found?.message).toBe(
      "All 8 completions of 85 % of groups get the same reward: the task is too easy for this model (96 % of all answers are right).",
    );
    expect(found?.advice).toContain("harder task");
  });

  it("tell that it is too hard", () => {
    const found = dead(0.85, { "completions/correct_ratio": 0.02 });
    expect(found?.level).toBe("warn");
    expect(found?.message).toContain("too hard");
    expect(found?.advice).toContain("`trainer.groupSize`");
  });

  it("believe the trainer's counts before the mean", () => {
    const counts = { "batch/dead_groups_solved": 1, "batch/dead_groups_unsolved": 9 };
    expect(dead(0.6, { "completions/correct_ratio": 0.9, ...counts })?.message).toContain("too hard");
    const both = { "batch/dead_groups_solved": 5, "batch/dead_groups_unsolved": 5 };
    expect(dead(0.6, both)?.message).toContain("others too hard");
  });

  it("go by the reward where answers are not judged, and admit where nothing is known", () => {
    const unjudged = { "completions/correct_ratio": null };
    expect(dead(0.6, { ...unjudged, reward: 0.9 })?.message).toContain("too easy for this model.");
    expect(dead(0.6, { ...unjudged, reward: null })?.message).toContain("too easy or too hard");
  });

  it("begin at one half", () => {
    expect(dead(0.49, {})).toBeUndefined();
    expect(dead(0.5, {})?.level).toBe("note");
  });

  it("need no recipe", () => {
    expect(dead(0.6, { "completions/correct_ratio": 0.01 }, {})?.message).toMatch(/^All completions of 60 %/);
  });
});

describe("the reward", () => {
  it("has fallen when it is a quarter of the spread below its best", () => {
    const falling = (by: number): Values => ({ reward: (index) => (index < 20 ? 0.8 : 0.8 - by) });
    expect(alert("reward-fell", falling(0.09))).toBeUndefined();
    expect(alert("reward-fell", falling(0.11))?.level).toBe("note");
    const collapsed = alert("reward-fell", falling(0.5));
    expect(collapsed?.level).toBe("warn");
    expect(collapsed?.message).toBe("The reward fell from 0.80 to 0.30.");
    expect(collapsed?.advice).toContain("`trainer.learningRate`");
  });

  it("is not compared before there is something to compare with", () => {
    expect(
      alertsOf(tableOf(19, { reward: (index) => (index < 9 ? 1 : 0), reward_std: 0.4 }), RECIPE),
    ).toEqual([]);
  });
});

describe("entropy", () => {
  const fallen = (to: number): Values => ({ entropy: (index) => (index < 10 ? 0.3 : to) });

  it("has collapsed at a tenth of what it was", () => {
    expect(alert("entropy-collapsed", fallen(0.031))).toBeUndefined();
    const found = alert("entropy-collapsed", fallen(0.015));
    expect(found?.level).toBe("warn");
    expect(found?.message).toContain("5 % of what it was");
    expect(found?.advice).toContain("`trainer.epsilonHigh`");
  });

  it("may be low where the task is solved", () => {
    expect(
      alert("entropy-collapsed", { ...fallen(0.001), "completions/correct_ratio": 0.95 }),
    ).toBeUndefined();
  });
});

describe("length", () => {
  it("is too short from a tenth of the completions on", () => {
    expect(alert("truncated", { "completions/clipped_ratio": 0.09 })).toBeUndefined();
    expect(alert("truncated", { "completions/clipped_ratio": 0.11 })?.level).toBe("note");
    const found = alert("truncated", { "completions/clipped_ratio": 0.4 });
    expect(found?.level).toBe("warn");
    expect(found?.message).toContain("40 % of completions are cut at 24 tokens");
    expect(found?.advice).toContain("`generator.maxTokens` (to 36, say)");
  });
});

describe("gradients", () => {
  it("spike at five times the usual, and the step is named", () => {
    const spike = (to: number): Values => ({ grad_norm: (index) => (index === 25 ? to : 0.3) });
    expect(alert("gradient-spike", spike(1.4))).toBeUndefined();
    const found = alert("gradient-spike", spike(3));
    expect(found?.message).toContain("jumped to 3.00 at step 26, 10 times the usual");
    expect(alert("gradient-clipped", spike(3))).toBeUndefined();
  });

  it("are clipped too often above half of the steps", () => {
    const clipped = (share: number): Values => ({
      grad_norm: (index) => (index % 10 < share * 10 ? 1.2 : 0.9),
    });
    expect(alert("gradient-clipped", clipped(0.5))).toBeUndefined();
    expect(alert("gradient-clipped", clipped(0.6))?.message).toContain("in 60 % of steps");
    expect(alert("gradient-clipped", clipped(0.9), { trainer: { maxGradNorm: 0 } })).toBeUndefined();
  });
});

describe("two policies", () => {
  it("drift apart by staleness, which is to be lowered", () => {
    expect(alert("mismatch", { "trainer/mismatch_kl": 0.0099 })).toBeUndefined();
    const found = alert("mismatch", { "trainer/mismatch_kl": 0.02 });
    expect(found?.level).toBe("note");
    expect(found?.message).toContain("1.0 versions old");
    expect(found?.advice).toContain("`trainer.maxStaleness`");
    expect(alert("mismatch", { "trainer/mismatch_kl": 0.06 })?.level).toBe("warn");
  });

  it("or compute differently, when completions are fresh", () => {
    const found = alert("mismatch", { "trainer/mismatch_kl": 0.06, "sample/staleness_mean": 0 });
    expect(found?.message).toContain("although completions are fresh");
    expect(found?.advice).toContain("`weights.dtype`");
  });

  it("have a fifth of the tokens clipped", () => {
    expect(alert("clipped", { "clip_ratio/region_mean": 0.19 })).toBeUndefined();
    expect(alert("clipped", { "clip_ratio/region_mean": 0.25 })?.message).toContain("25 % of tokens");
  });
});

describe("staleness", () => {
  const bound = (maxStaleness: number) => ({ ...RECIPE, trainer: { ...RECIPE.trainer, maxStaleness } });

  it("at a bound of 1 is how an async run works", () => {
    expect(alert("staleness-bound", { "sample/staleness_mean": 1 })).toBeUndefined();
  });

  it("at a higher bound is worth knowing", () => {
    expect(alert("staleness-bound", { "sample/staleness_mean": 3.9 }, bound(4))?.level).toBe("note");
    expect(alert("staleness-bound", { "sample/staleness_mean": 3.5 }, bound(4))).toBeUndefined();
  });

  it("wastes groups that are dropped, of those generated", () => {
    const found = alert("dropped-stale", { "sample/dropped_stale_total": 8 });
    expect(found?.level).toBe("warn");
    expect(found?.message).toContain("20 % of groups are dropped");
    expect(alert("dropped-stale", { "sample/dropped_stale_total": 3 })).toBeUndefined();
  });
});

describe("who waits", () => {
  it("names the knob of the one that sets the pace", () => {
    expect(alerts({ "trainer/idle_ratio": 0.3, "generator/idle_ratio": 0.3 })).toEqual([]);
    const trainer = alert("trainer-waits", { "trainer/idle_ratio": 0.6 });
    expect(trainer?.message).toBe("The trainer waits for rollouts 60 % of its time.");
    expect(trainer?.advice).toContain("`generator.concurrency` (now 256)");
    const generator = alert("generator-waits", { "generator/idle_ratio": 0.5 });
    expect(generator?.advice).toContain("`trainer.maxStaleness` (now 1)");
  });

  it("blames dead groups that have to be replaced", () => {
    const found = alert("trainer-waits", { "trainer/idle_ratio": 0.6, frac_reward_zero_std: 0.7 });
    expect(found?.advice).toContain("Dead groups");
  });

  it("recommends async to a run in sync", () => {
    const sync = { ...RECIPE, mode: "sync" };
    for (const found of alerts({ "trainer/idle_ratio": 0.5, "generator/idle_ratio": 0.5 }, sync))
      expect(found.advice).toContain("`async`");
    expect(alerts({ "trainer/idle_ratio": 0.5, "generator/idle_ratio": 0.5 }, sync)).toHaveLength(2);
  });
});
