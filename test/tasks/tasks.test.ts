import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../src/random.ts";
import type { Problem } from "../../src/rollout.ts";
import type { Task } from "../../src/tasks/api.ts";
import { drawExpression, evaluateExpression, spell } from "../../src/tasks/arithmetic.ts";
import { makeTask, TASKS } from "../../src/tasks/registry.ts";
import { buildCharTokenizer } from "../../src/text/char_tokenizer.ts";
import { encodePrompt } from "../../src/text/prompt_tokens.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";

const languages = ["en", "fr", "de", "es"];
const inAllLanguages = (name: string) => (name === "digits" ? {} : { languages });
const draw = (task: Task, count: number) => Array.from({ length: count }, (_, i) => task.sample(i));

/** What a held-out problem must not share with training: the same numbers asked in another order or language. */
function essence(problem: Problem): string {
  const { numbers, target, expression } = problem.columns as Record<string, unknown>;
  if (Array.isArray(numbers)) return `${[...numbers].map(String).sort().join(" ")} ${target}`;
  return typeof expression === "string" ? expression : (problem.prompt as string);
}

describe.each(TASKS.map(({ name }) => name))("task %s", (name) => {
  it("is a pure function of seed and index", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, index) => {
        const problem = makeTask(name, inAllLanguages(name), seed).sample(index);
        expect(makeTask(name, inAllLanguages(name), seed).sample(index)).toEqual(problem);
        expect(problem.taskId).toBe(name);
        expect(structuredClone(problem)).toEqual(problem);
      }),
      { numRuns: 30 },
    );
    const ids = (seed: number) => draw(makeTask(name, {}, seed), 40).map((p) => p.id);
    expect(ids(1)).not.toEqual(ids(2));
  });

  it("never trains on what any seed holds out", () => {
    const held = new Set([0, 7].flatMap((seed) => makeTask(name, {}, 1).heldOut(100, seed)).map(essence));
    expect(held.size).toBeGreaterThan(100);
    const trained = draw(makeTask(name, inAllLanguages(name), 3), 1500).map(essence);
    expect(trained.filter((problem) => held.has(problem))).toEqual([]);
    expect(new Set(trained).size).toBeGreaterThan(300);
  });

  it("holds out different problems, whatever the training seed", () => {
    const held = makeTask(name, {}, 1).heldOut(120);
    expect(new Set(held.map((p) => p.id)).size).toBe(120);
    expect(makeTask(name, {}, 99).heldOut(120)).toEqual(held);
  });

  it("is spelt wholly by its vocabulary, and so are its teacher's traces", async () => {
    const task = makeTask(name, inAllLanguages(name), 4);
    const tokenizer = await loadTokenizer(buildCharTokenizer(task.vocabulary!()));
    const teacher = task.teacher!();
    const right = draw(task, 300).filter((problem, i) => {
      const { tokens } = encodePrompt(problem, { tokenizer });
      expect(tokenizer.decode(tokens)).toBe(problem.prompt);
      const trace = teacher.trace(problem, i);
      expect(teacher.trace(problem, i)).toEqual(trace);
      expect(tokenizer.encode(trace.completion).at(-1)).toBe(tokenizer.eosIds[0]);
      return trace.correct;
    });
    expect(right.length).toBeGreaterThan(90);
    expect(right.length).toBeLessThan(270);
  });

  it("refuses unknown options of task and teacher with the nearest name", () => {
    const [option] = Object.keys(makeTask(name, {}, 1).options);
    expect(() => makeTask(name, { [`${option}x`]: 1 }, 1)).toThrow(/Unknown option/);
    try {
      makeTask(name, { [`${option}x`]: 1 }, 1);
    } catch (error) {
      expect(error).toMatchObject({ name: "ConfigError", hint: `did you mean \`${option}\`?` });
    }
    expect(() => makeTask(name, {}, 1).teacher!({ nonsense: 1 })).toThrow(/Unknown option `nonsense`/);
  });
});

describe("worded tasks", () => {
  it.each(["countdown", "number_comparison", "sorting"])(
    "%s is asked in each language it is set to",
    (name) => {
      const problems = draw(makeTask(name, { languages }, 1), 200);
      expect(new Set(problems.map((p) => p.columns.language))).toEqual(new Set(languages));
      const openings = new Set(
        problems.map((p) => `${p.columns.language} ${(p.prompt as string).split(/\s[\d]/)[0]}`),
      );
      expect(openings.size).toBe(name === "countdown" ? 4 : 8);
    },
  );
});

describe("countdown", () => {
  it("has a solution that uses every number and reaches the target", () => {
    for (const { columns } of draw(makeTask("countdown", { operators: ["+", "-", "*", "/"] }, 5), 200)) {
      const { numbers, target, solution } = columns as {
        numbers: number[];
        target: number;
        solution: string;
      };
      expect(solution.match(/\d+/g)!.map(Number).sort()).toEqual([...numbers].sort());
      expect(solution).toMatch(/^\d+([-+*/]\d+)+$/);
      expect(new Function(`return ${solution}`)()).toBe(target);
      expect(target).toBeGreaterThanOrEqual(10);
      expect(target).toBeLessThanOrEqual(99);
    }
  });

  it("has a teacher whose last try is the answer", () => {
    const task = makeTask("countdown", {}, 5);
    const sure = task.teacher!({ tryRight: 1, brokenFormat: 0 });
    for (const problem of draw(task, 30)) {
      const { solution, target } = problem.columns;
      const { completion, correct } = sure.trace(problem, 0);
      if (correct) expect(completion).toMatch(new RegExp(`=${target}</think>`));
      expect(completion).toBe(`<think>${solution}=${target}</think>\\boxed{${solution}}<eos>`);
    }
    expect(() => makeTask("countdown", { maxTarget: 20_000, minTarget: 15_000 }, 1).sample(0)).toThrow(
      /no target/,
    );
  });

  it("evaluates expressions as JavaScript does, and refuses remainders", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.nat({ max: 12 }), { minLength: 2, maxLength: 5 }),
        (seed, numbers) => {
          const expression = drawExpression(numbers, ["+", "-", "*"], randomStream(seed));
          expect(evaluateExpression(expression)).toBe(new Function(`return 0 + ${spell(expression)}`)());
        },
      ),
    );
    expect(evaluateExpression({ numbers: [7, 2], operators: ["/"] })).toBeNull();
    expect(evaluateExpression({ numbers: [7, 0], operators: ["/"] })).toBeNull();
  });
});

describe("number_comparison", () => {
  it("knows the right number", () => {
    for (const { answer, columns } of draw(makeTask("number_comparison", {}, 2), 200)) {
      const { numbers, direction } = columns as { numbers: string[]; direction: string };
      const values = numbers.map(Number);
      expect(values[0]).not.toBe(values[1]);
      expect(Number(answer)).toBe(direction === "larger" ? Math.max(...values) : Math.min(...values));
    }
  });

  it("has a teacher that lines decimals up, and one that does not", () => {
    const task = makeTask("number_comparison", {}, 2);
    const problem = {
      ...task.sample(0),
      columns: { numbers: ["3.9", "3.11"], direction: "larger" },
      answer: "3.9",
    };
    const write = (ignorePoint: number) =>
      task.teacher!({ guessShare: 0, brokenFormat: 0, ignorePoint }).trace(problem, 0);
    expect(write(0)).toMatchObject({
      completion: "<think>3.90>3.11</think>\\boxed{3.9}<eos>",
      correct: true,
    });
    expect(write(1)).toMatchObject({
      completion: "<think>3.9<3.11</think>\\boxed{3.11}<eos>",
      correct: false,
    });
  });
});

describe("sorting", () => {
  it("knows the right order, and so does a faultless teacher", () => {
    const task = makeTask("sorting", {}, 2);
    const teacher = task.teacher!({ guessShare: 0, slip: 0, brokenFormat: 0 });
    for (const problem of draw(task, 100)) {
      const { numbers, direction } = problem.columns as { numbers: number[]; direction: string };
      const order = [...numbers].sort((a, b) => a - b);
      expect(problem.answer).toBe((direction === "ascending" ? order : order.reverse()).join(","));
      expect(teacher.trace(problem, 0).correct).toBe(true);
    }
    const problem = {
      ...task.sample(0),
      columns: { numbers: [9, 2, 5], direction: "ascending" },
      answer: "2,5,9",
    };
    expect(teacher.trace(problem, 0).completion).toBe("<think>9,2,5>2;9,5>5;9>9</think>\\boxed{2,5,9}<eos>");
    expect(() => makeTask("sorting", { maxValue: 3 }, 1)).toThrow(/only 4 different values/);
  });
});
