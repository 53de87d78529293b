import { describe, expect, it } from "vitest";
import { mixture, shareOut } from "../../src/tasks/mixture.ts";
import { makeMixture, makeTask } from "../../src/tasks/registry.ts";

describe("makeTask()", () => {
  it("refuses unknown names with the nearest known one", () => {
    expect(() => makeTask("chain_sums", {}, 1)).toThrow("Unknown task `chain_sums`");
    try {
      makeTask("chainsum", {}, 1);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "config/unknown-task", hint: "did you mean `chain_sum`?" });
    }
  });
});

describe("shareOut()", () => {
  it("adds up and follows the weights", () => {
    expect(shareOut(10, [1, 1, 1])).toEqual([4, 3, 3]);
    expect(shareOut(256, [3, 1])).toEqual([192, 64]);
    expect(shareOut(1, [1, 100])).toEqual([0, 1]);
    expect(shareOut(0, [1, 2])).toEqual([0, 0]);
  });
});

describe("makeMixture()", () => {
  const choices = [
    { name: "chain_sum", weight: 3 },
    { name: "sorting", options: { maxNumbers: 3 } },
  ];

  it("draws its parts by weight, the same for the same index", () => {
    const mixed = makeMixture(choices, 1);
    const drawn = Array.from({ length: 2000 }, (_, i) => mixed.sample(i));
    expect(drawn.filter((p) => p.taskId === "chain_sum").length / 2000).toBeCloseTo(0.75, 1);
    expect(makeMixture(choices, 1).sample(1234)).toEqual(drawn[1234]);
    expect(mixed.rewards).toEqual(["magistral"]);
    expect(mixed.parts?.map((task) => task.name)).toEqual(["chain_sum", "sorting"]);
  });

  it("holds out by weight, some of each from the start", () => {
    const held = makeMixture(choices, 1).heldOut(40);
    expect(held.filter((p) => p.taskId === "chain_sum").length).toBe(30);
    expect(new Set(held.map((p) => p.id)).size).toBe(40);
    expect(new Set(held.slice(0, 4).map((p) => p.taskId)).size).toBe(2);
    const twins = mixture(
      [1, 1].map((weight) => ({ task: makeTask("chain_sum", {}, 1), weight })),
      1,
    );
    expect(new Set(twins.heldOut(40).map((p) => p.id)).size).toBe(40);
  });

  it("teaches and spells all its parts", () => {
    const mixed = makeMixture(choices, 1);
    expect(mixed.vocabulary!().characters).toContain(";");
    const teacher = mixed.teacher!({ chain_sum: { guessShare: 1, brokenFormat: 0 } });
    for (let i = 0; i < 50; i++) {
      const problem = mixed.sample(i);
      const { style } = teacher.trace(problem, i);
      if (problem.taskId === "chain_sum") expect(style).toBe("guess");
    }
    expect(() => mixed.teacher!({ sort: {} })).toThrow(/Unknown task `sort`/);
  });

  it("is the task itself where there is one, and refuses none and weights of 0", () => {
    expect(makeMixture([{ name: "sorting" }], 1).name).toBe("sorting");
    expect(() => makeMixture([], 1)).toThrow(/no parts/);
    expect(() => makeMixture([{ name: "sorting", weight: 0 }], 1)).toThrow(/weight of sorting is 0/);
  });
});
