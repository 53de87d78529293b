import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Language } from "../../src/tasks/api.ts";
import { CHAIN_SUM_WORDING, chainSum, chainSumVocabulary } from "../../src/tasks/chain_sum.ts";
import { isHeldOut } from "../../src/tasks/procedural.ts";
import { buildCharTokenizer } from "../../src/text/char_tokenizer.ts";
import { encodePrompt, encodePrompts } from "../../src/text/prompt_tokens.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";

const policyTokenizer = () => loadTokenizer(buildCharTokenizer(chainSumVocabulary()));

/** Adds up an expression by hand, without the code under test. */
function addUp(expression: string): number {
  const parts = expression.split(" ");
  let total = Number(parts[0]);
  for (let i = 1; i < parts.length; i += 2) total += (parts[i] === "-" ? -1 : 1) * Number(parts[i + 1]);
  return total;
}

describe("chainSum()", () => {
  it("asks in reasoning-gym's words", () => {
    const task = chainSum({}, 1);
    const problem = task.sample(0);
    expect(problem.prompt).toMatch(
      /^State the final answer to the following arithmetic problem: \d( [+-] \d){1,2} =$/,
    );
    expect(task.rewards).toEqual(["magistral"]);
    expect(task.languages).toEqual(["en"]);
  });

  it("gives the same problem for the same seed and index, and others for others", () => {
    const draw = (seed: number) =>
      Array.from({ length: 50 }, (_, i) => chainSum({}, seed).sample(i).id).join();
    expect(draw(3)).toBe(draw(3));
    expect(draw(3)).not.toBe(draw(4));
    expect(new Set(draw(3).split(",")).size).toBeGreaterThan(30);
  });

  it("knows the answer, whatever the options", () => {
    const options = fc.record({
      minTerms: fc.integer({ min: 2, max: 3 }),
      maxTerms: fc.integer({ min: 3, max: 5 }),
      maxDigits: fc.integer({ min: 1, max: 4 }),
      allowNegation: fc.boolean(),
      languages: fc.constantFrom<Language[]>(["en"], ["fr", "de"], ["es"]),
    });
    fc.assert(
      fc.property(options, fc.nat(), fc.nat({ max: 1e9 }), (chosen, seed, index) => {
        const problem = chainSum(chosen, seed).sample(index);
        const { expression, language } = problem.columns as { expression: string; language: Language };
        expect(Number(problem.answer)).toBe(addUp(expression));
        expect(problem.prompt).toBe(`${CHAIN_SUM_WORDING[language]} ${expression} =`);
        expect(chosen.languages).toContain(language);
        const terms = expression.split(/ [+-] /).map(Number);
        expect(terms.length).toBeGreaterThanOrEqual(chosen.minTerms);
        expect(terms.length).toBeLessThanOrEqual(chosen.maxTerms);
        expect(Math.max(...terms.map(Math.abs))).toBeLessThan(10 ** chosen.maxDigits);
        if (!chosen.allowNegation) expect(Math.min(...terms)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("never trains on what any seed, option or language can hold out", () => {
    const held = new Set(
      [0, 1]
        .flatMap((seed) => chainSum({ languages: ["en", "fr"] }, 5).heldOut(400, seed))
        .map((p) => p.columns.expression),
    );
    for (const options of [{}, { threeTermShare: 0.9 }, { languages: ["de"] }]) {
      const task = chainSum(options, 9);
      for (let i = 0; i < 1500; i++) {
        const { expression } = task.sample(i).columns;
        expect(held.has(expression)).toBe(false);
        expect(isHeldOut(expression as string)).toBe(false);
      }
    }
  });

  it("holds out different problems, the same ones whatever the training seed, and refuses more than there are", () => {
    const held = chainSum({}, 1).heldOut(256);
    expect(new Set(held.map((p) => p.id)).size).toBe(256);
    expect(held).toEqual(chainSum({ threeTermShare: 1 }, 2).heldOut(256));
    expect(chainSum({}, 1).heldOut(20)).toEqual(held.slice(0, 20));
    expect(chainSum({}, 1).heldOut(20, 1)).not.toEqual(held.slice(0, 20));
    const threeTerms = held.filter((p) => (p.columns.expression as string).split(" ").length === 5).length;
    expect(threeTerms / 256).toBeGreaterThan(0.8);
    expect(() => chainSum({ maxTerms: 2 }, 1).heldOut(150)).toThrow(/options allow \d+/);
  });

  it("oversamples three terms in training when asked", () => {
    const share = (options: object) => {
      const task = chainSum(options, 2);
      const lengths = Array.from(
        { length: 600 },
        (_, i) => (task.sample(i).columns.expression as string).length,
      );
      return lengths.filter((n) => n === 9).length / 600;
    };
    expect(share({})).toBeGreaterThan(0.43);
    expect(share({})).toBeLessThan(0.57);
    expect(share({ threeTermShare: 0.75 })).toBeGreaterThan(0.69);
  });

  it.each([
    [{ maxTerm: 3 }, /Unknown option `maxTerm`/],
    [{ maxTerms: 2.5 }, /option `maxTerms`/],
    [{ minTerms: 4 }, /`minTerms` is 4/],
    [{ maxTerms: 2, threeTermShare: 0.5 }, /`threeTermShare`/],
    [{ languages: ["it"] }, /option `languages\.0`/],
    [{ languages: [] }, /option `languages`/],
  ])("refuses %j", (options, message) => {
    expect(() => chainSum(options, 1)).toThrow(message);
  });
});

describe("the vocabulary of chain sums", () => {
  it("has one token for each language's wording and reads back literally", async () => {
    const tokenizer = await policyTokenizer();
    expect(tokenizer.vocabSize).toBe(27);
    const task = chainSum({ languages: ["en", "fr", "de", "es"] }, 1);
    for (let i = 0; i < 200; i++) {
      const problem = task.sample(i);
      const { tokens } = encodePrompt(problem, { tokenizer });
      expect(tokenizer.decode(tokens)).toBe(problem.prompt);
      expect(tokens.length).toBe((problem.columns.expression as string).length + 4);
    }
  });

  const file = new URL("../../../shared/material/datasets/reasoning-gym/chain_sum.jsonl", import.meta.url);
  it.skipIf(!existsSync(file))("encodes every row of reasoning-gym as it stands", async () => {
    const rows = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const problems = rows.map((row, i) => ({
      id: `${i}`,
      taskId: "file",
      prompt: row.question,
      answer: row.answer,
      columns: row.metadata,
    }));
    const tokenizer = await policyTokenizer();
    const { prompts, refused } = encodePrompts(problems, { tokenizer });
    expect(refused).toEqual([]);
    const inRange = prompts.filter(
      (p) => p.problem.columns.num_digits === 1 && Number(p.problem.columns.num_terms) <= 3,
    );
    expect(inRange.length).toBe(23);
    for (const { tokens, problem } of inRange) {
      expect(tokens[0]).toBe(tokenizer.idOf(CHAIN_SUM_WORDING.en));
      expect(tokens.length).toBe(problem.columns.num_terms === 2 ? 9 : 13);
    }
  });
});

describe("the teacher of chain sums", () => {
  const task = chainSum({}, 1);
  const traces = (options: Record<string, number>, count = 2000) => {
    const teacher = task.teacher!(options);
    return Array.from({ length: count }, (_, i) => ({
      problem: task.sample(i),
      ...teacher.trace(task.sample(i), i),
    }));
  };
  const share = <T>(items: T[], test: (item: T) => boolean) => items.filter(test).length / items.length;

  it("is right about as often as the prototype's, 46 %, and as varied", () => {
    const all = traces({}, 4000);
    expect(share(all, (t) => t.correct)).toBeGreaterThan(0.42);
    expect(share(all, (t) => t.correct)).toBeLessThan(0.5);
    expect(share(all, (t) => t.style === "guess")).toBeCloseTo(0.58, 1);
    expect(share(all, (t) => !t.wellFormed)).toBeCloseTo(0.12, 1);
    const guesses = all.filter((t) => t.style === "guess" && t.wellFormed);
    expect(share(guesses, (t) => t.correct)).toBeCloseTo(0.3, 1);
  });

  it("writes traces that end in <eos>, fit 24 tokens and encode", async () => {
    const tokenizer = await policyTokenizer();
    for (const { completion } of traces({ guessShare: 0.2 }, 600)) {
      const ids = tokenizer.encode(completion);
      expect(ids.at(-1)).toBe(tokenizer.eosIds[0]);
      expect(ids.length).toBeLessThanOrEqual(24);
    }
  });

  it("without faults works every problem out step by step", () => {
    const faultless = { guessShare: 0, forget: 0, slip: 0, brokenFormat: 0 };
    for (const { problem, completion, correct, wellFormed } of traces(faultless, 300)) {
      expect(correct && wellFormed).toBe(true);
      const [, thought, boxed] = /^<think>(.+)<\/think>\\boxed\{(-?\d+)\}<eos>$/.exec(completion)!;
      expect(boxed).toBe(problem.answer);
      for (const line of thought.split(",")) {
        const [, a, sign, b, result] = /^(-?\d+)([+-])(\d+)=(-?\d+)$/.exec(line)!;
        expect(Number(result)).toBe(sign === "+" ? Number(a) + Number(b) : Number(a) - Number(b));
      }
    }
    const sample = { ...task.sample(0), columns: { expression: "7 + 9 - 5" }, answer: "11" };
    expect(task.teacher!(faultless).trace(sample, 0).completion).toBe(
      "<think>7+9=16,16-5=11</think>\\boxed{11}<eos>",
    );
  });

  it("forgets only carries and borrows, and carries its mistake on", () => {
    const forgetful = { guessShare: 0, forget: 1, slip: 0, brokenFormat: 0 };
    const of = (expression: string) =>
      task.teacher!(forgetful).trace({ ...task.sample(0), columns: { expression } }, 0).completion;
    expect(of("7 + 9 - 5")).toContain("<think>7+9=6,6-5=1</think>\\boxed{1}");
    expect(of("5 - 9")).toContain("5-9=6");
    expect(of("7 + 2")).toContain("7+2=9");
    expect(of("0 - 4 - 8")).toContain("0-4=-4,-4-8=-2");
    expect(of("0 - 4 + 0")).toContain("0-4=-4,-4+0=-4");
  });

  it("is the same for the same index and differs between indices", () => {
    const teacher = task.teacher!();
    const problem = task.sample(0);
    expect(teacher.trace(problem, 7)).toEqual(teacher.trace(problem, 7));
    expect(
      new Set(Array.from({ length: 60 }, (_, i) => teacher.trace(problem, i).completion)).size,
    ).toBeGreaterThan(4);
    expect(() => task.teacher!({ forgett: 1 })).toThrow(/Unknown option `forgett`/);
    const worker = task.teacher!({ guessShare: 0 });
    expect(() => worker.trace({ ...problem, columns: {} }, 0)).toThrow(/no readable expression/);
  });
});
