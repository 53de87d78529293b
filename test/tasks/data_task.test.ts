import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Problem } from "../../src/rollout.ts";
import { dataTask } from "../../src/tasks/data_task.ts";

const problem = (prompt: string, line: number): Problem => ({
  id: `data/${line}`,
  taskId: "data",
  prompt,
  answer: "1",
  columns: {},
});
const problems = (count: number) => Array.from({ length: count }, (_, i) => problem(`question ${i}`, i + 1));

describe("dataTask()", () => {
  it("keeps rows with the same prompt on one side, whatever the share", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 2 }), { minLength: 2, maxLength: 60 }),
        fc.double({ min: 0.01, max: 0.95, noNaN: true }),
        (prompts, heldOutShare) => {
          fc.pre(new Set(prompts).size > 1);
          const rows = prompts.map(problem);
          const task = dataTask(rows, 1, { heldOutShare });
          const held = new Set(task.heldOut(1000).map((p) => p.prompt));
          const count = task.options.training as number;
          const trained = Array.from({ length: count }, (_, i) => task.sample(i));
          expect(held.size).toBeGreaterThan(0);
          expect(trained.filter((p) => held.has(p.prompt))).toEqual([]);
          expect(new Set([...trained.map((p) => p.prompt), ...held])).toEqual(new Set(prompts));
        },
      ),
    );
  });

  it("goes through every training row once an epoch, in a new order each time, from any index", () => {
    const task = dataTask(problems(50), 3, { heldOutShare: 0.2 });
    const epoch = (n: number) => Array.from({ length: 40 }, (_, i) => task.sample(40 * n + i).id);
    expect(new Set(epoch(0)).size).toBe(40);
    expect([...epoch(1)].sort()).toEqual([...epoch(0)].sort());
    expect(epoch(1)).not.toEqual(epoch(0));
    const resumed = dataTask(problems(50), 3, { heldOutShare: 0.2 });
    expect(resumed.sample(77)).toEqual(task.sample(77));
    expect(dataTask(problems(50), 4, { heldOutShare: 0.2 }).sample(0)).not.toEqual(task.sample(0));
  });

  it("holds out the exact share, the same rows whatever the training seed", () => {
    const held = (seed: number, count = 100) => dataTask(problems(50), seed).heldOut(count);
    expect(held(1).length).toBe(5);
    expect(held(2)).toEqual(held(1));
    expect(held(1, 3)).toEqual(held(1).slice(0, 3));
  });

  it("holds out other rows for another split seed, whatever the order of the rows", () => {
    const split = (splitSeed: number, rows = problems(200)) =>
      dataTask(rows, 1, { splitSeed })
        .heldOut(99)
        .map(({ prompt }) => prompt)
        .sort();
    expect(split(1)).toHaveLength(20);
    expect(split(1)).toEqual(split(1, problems(200).reverse()));
    const sets = [split(0), split(1), split(2)].map((prompts) => new Set(prompts));
    // Two independent draws of 20 from 200 share 2 on average; more than 9 comes once in a million.
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      expect([...sets[a]].filter((prompt) => sets[b].has(prompt)).length).toBeLessThan(10);
  });

  it("refuses too few different prompts, and holds none out when told so", () => {
    const twins = [problem("same", 1), problem("same", 2)];
    expect(() => dataTask(twins, 1)).toThrow(/1 different prompt$/);
    expect(() => dataTask([], 1)).toThrow(/0 different prompts/);
    expect(dataTask(twins, 1, { heldOutShare: 0 }).heldOut(9)).toEqual([]);
    expect(() => dataTask(twins, 1, { heldOutShare: 1 })).toThrow(RangeError);
  });
});
