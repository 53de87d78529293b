import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeTask } from "../../src/tasks/registry.ts";
import { digitTokenizer } from "../../src/text/tokenizer.ts";

const file = new URL("../../../shared/material/weights/verl-digit-llama/prompts.json", import.meta.url);
const ask = (options: object, seed = 1, count = 3000) => {
  const task = makeTask("digits", options as Record<string, unknown>, seed);
  return Array.from({ length: count }, (_, i) => task.sample(i));
};

describe("digits", () => {
  it("answers the published example, and every other by the rule", () => {
    const problems = ask({}, 1, 4000);
    const published = [...problems, ...makeTask("digits", {}, 1).heldOut(150)].find(
      (p) => p.prompt === "8,3:9,4S",
    );
    if (published) expect(published.answer).toBe("7,2,6,1");
    for (const { prompt, answer } of problems.slice(0, 500)) {
      const [first, second, modulus, count] = (prompt as string).split(/[,:S]/).map(Number);
      let [before, current] = [first, second];
      const expected: number[] = [];
      while (expected.length < count) {
        [before, current] = [current, (((2 * current - before) % modulus) + modulus) % modulus];
        expected.push(current);
      }
      expect(answer).toBe(expected.join(","));
    }
  });

  it.skipIf(!existsSync(file))("has the published prompts, all of them and no others", async () => {
    const { train, test } = JSON.parse(readFileSync(file, "utf8")) as { train: string[]; test: string[] };
    const published = new Set([...train, ...test].map((text) => `${text}S`));
    const task = makeTask("digits", {}, 1);
    const held = task.heldOut(200).map((p) => p.prompt as string);
    const drawn = new Set([...ask({}, 1, 12_000).map((p) => p.prompt as string), ...held]);
    expect([...drawn].filter((prompt) => !published.has(prompt))).toEqual([]);
    expect(drawn.size).toBe(published.size);
    const tokenizer = await digitTokenizer();
    for (const prompt of drawn) expect(tokenizer.encode(prompt).at(-1)).toBe(0);
  });

  it("leaves out empty answers when asked", () => {
    expect(ask({}).filter((p) => p.answer === "").length).toBeGreaterThan(150);
    expect(ask({ minCount: 1 }).filter((p) => p.answer === "")).toEqual([]);
    expect(() => makeTask("digits", { minCount: 5, maxCount: 4 }, 1)).toThrow(/`minCount` is 5/);
  });

  it("has a teacher that ends with E and slips as told", () => {
    const task = makeTask("digits", {}, 1);
    const sure = task.teacher!({ slip: 0 });
    for (const problem of ask({}, 1, 50)) {
      expect(sure.trace(problem, 0)).toMatchObject({ completion: `${problem.answer}E`, correct: true });
    }
  });
});
