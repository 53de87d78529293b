import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AdvantageKind,
  computeAdvantages,
  isDeadGroup,
  mean,
  populationDeviation,
} from "../../src/trainer/advantages.ts";

const a = [1, 0, 0, 1];
const b = [0, 0, 0, 0];
const e = [0, 0, 0, 1];

function expectAdvantages(got: Float64Array, want: number[], digits = 6): void {
  expect([...got].map((x) => x.toFixed(digits))).toEqual(want.map((x) => x.toFixed(digits)));
}

describe("computeAdvantages()", () => {
  it("magistral: the recipe's vector", () => {
    const kept = [
      [1.1, 1, 0.1, 0],
      [0.1, 0.1, 1.1, 0.1],
    ];
    expectAdvantages(
      computeAdvantages(kept, "magistral"),
      [1.172604, 0.959403, -0.959403, -1.172604, -0.533002, -0.533002, 1.599005, -0.533002],
    );
    const centred = [...computeAdvantages(kept, "group_center")];
    expect(populationDeviation(centred)).toBeCloseTo(0.4690416, 7);
  });

  it("magistral: a dead group kept or removed changes the scale", () => {
    expectAdvantages(
      computeAdvantages([a, b, e], "magistral"),
      [1.309307, -1.309307, -1.309307, 1.309307, 0, 0, 0, 0, -0.654654, -0.654654, -0.654654, 1.963961],
    );
    expectAdvantages(
      computeAdvantages([a, e], "magistral"),
      [1.069045, -1.069045, -1.069045, 1.069045, -0.534522, -0.534522, -0.534522, 1.603567],
    );
  });

  it("magistral: equals verl's token-weighted whitening up to √((N − 1)/N) at equal lengths", () => {
    const whitened = [1.290994, -0.645497, 1.936492];
    const ours = computeAdvantages([a, b, e], "magistral");
    [0, 8, 11].forEach((i, k) => {
      expect(ours[i] * Math.sqrt(35 / 36)).toBeCloseTo(whitened[k], 6);
    });
  });

  it("TRL: group, batch and no scaling", () => {
    expectAdvantages(computeAdvantages([a], "group_std"), [0.865875, -0.865875, -0.865875, 0.865875]);
    expectAdvantages(
      computeAdvantages([b, e], "group_std"),
      [0, 0, 0, 0, -0.4999, -0.4999, -0.4999, 1.4997],
      4,
    );
    const batch = computeAdvantages([a, b, e], "batch_std");
    expectAdvantages(
      batch,
      [1.105297, -1.105297, -1.105297, 1.105297, 0, 0, 0, 0, -0.552649, -0.552649, -0.552649, 1.657946],
    );
    expectAdvantages(computeAdvantages([a, b, e], "group_center").slice(8), [-0.25, -0.25, -0.25, 0.75]);
  });

  it("verl: group deviation with 1e-6 added", () => {
    expectAdvantages(computeAdvantages([a], "group_std", 1e-6).slice(0, 2), [0.866024, -0.866024]);
    // Printed as 0.707106.
    expectAdvantages(computeAdvantages([[1, 0]], "group_std", 1e-6), [Math.SQRT1_2, -Math.SQRT1_2], 5);
  });

  it("TRL async: two rewards become ±1", () => {
    expectAdvantages(computeAdvantages([[1, 3]], "magistral"), [-1, 1]);
  });

  it("leaves null rewards out of every mean and gives them 0", () => {
    expectAdvantages(computeAdvantages([[1, 0, null, 1]], "group_std"), [0.57725, -1.154501, 0, 0.57725], 5);
    for (const kind of ["magistral", "group_std", "group_center", "batch_std"] as AdvantageKind[]) {
      const without = [...computeAdvantages([a, [1, 0, 1]], kind)];
      const got = [...computeAdvantages([a, [1, null, 0, 1]], kind)];
      expect(got).toEqual([...without.slice(0, 5), 0, ...without.slice(5)]);
      expect([...computeAdvantages([[null, 0.7, null]], kind)]).toEqual([0, 0, 0]);
    }
  });

  it("magistral: mean 0 and deviation 1 over the scored sequences, whatever the rewards", () => {
    const rewards = fc.array(
      fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 2, maxLength: 5 }),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(rewards, (groups) => {
        fc.pre(groups.some((group) => Math.max(...group) - Math.min(...group) > 1e-3));
        const got = [...computeAdvantages(groups, "magistral")];
        expect(mean(got)).toBeCloseTo(0, 9);
        expect(populationDeviation(got)).toBeCloseTo(1, 9);
      }),
    );
  });

  it("does not blow floating noise up", () => {
    const got = computeAdvantages([[0.1 + 0.2, 0.3]], "magistral");
    expect(Math.max(...got.map(Math.abs))).toBeLessThan(1e-9);
  });

  it("refuses a reward that is not a number", () => {
    expect(() => computeAdvantages([[1, Number.NaN]], "magistral")).toThrow(/finite/);
  });
});

describe("isDeadGroup()", () => {
  const group = (rewards: (number | null)[], correct: (number | null)[] = rewards.map(() => null)) =>
    rewards.map((reward, i) => ({ reward, correct: correct[i] }));

  it("reward: any two rewards that differ beyond rounding keep the group", () => {
    expect(isDeadGroup(group([1.1, 1.1, 1.1]), "reward")).toBe(true);
    expect(isDeadGroup(group([0.1 + 0.2, 0.3, 0.3]), "reward")).toBe(true);
    expect(isDeadGroup(group([Math.fround(1.1), 1.1]), "reward")).toBe(true);
    // One token of length penalty with a cache of 4000 tokens.
    expect(isDeadGroup(group([1.1, 1.1 - 2.5e-5]), "reward")).toBe(false);
    expect(isDeadGroup(group([null, 1, null]), "reward")).toBe(true);
    expect(isDeadGroup(group([null, 1, 0]), "reward")).toBe(false);
  });

  it("correct: an all-right group is dead although lengths differ", () => {
    const allRight = group([1.1, 1.05], [1, 1]);
    expect(isDeadGroup(allRight, "reward")).toBe(false);
    expect(isDeadGroup(allRight, "correct")).toBe(true);
    expect(isDeadGroup(group([1.1, 0.1], [1, 0]), "correct")).toBe(false);
    expect(isDeadGroup(group([1.1, 0.1]), "correct")).toBe(false);
    expect(isDeadGroup(group([0.5, 0.5], [1, 0]), "correct")).toBe(true);
  });

  it("none: keeps all", () => {
    expect(isDeadGroup(group([1, 1]), "none")).toBe(false);
  });
});
