import { describe, expect, it } from "vitest";
import {
  type AnsweredProblem,
  type EvaluationRequest,
  evaluate,
  reportedK,
} from "../../src/evaluation/evaluate.ts";
import type { Problem, RewardedGroup, Rollout } from "../../src/rollout.ts";
import { buildCharTokenizer } from "../../src/text/char_tokenizer.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";

const vocabulary = { special: ["."], pad: ".", eos: ".", pieces: ["boxed "], characters: "0123456789+=" };
const problem = (prompt: string, answer: string, i: number): Problem => ({
  id: `p${i}`,
  taskId: "sums",
  prompt,
  answer,
  columns: {},
});
const problems = [problem("1+1=", "2", 0), problem("1*1=", "1", 1), problem("2+3=", "5", 2)];

/** A policy that says the same things to everyone; graded by comparison with the answer. */
async function request(said: string[], change: Partial<EvaluationRequest> = {}): Promise<EvaluationRequest> {
  const tokenizer = await loadTokenizer(buildCharTokenizer(vocabulary));
  const rollout = (id: number, groupId: number, problemId: string, promptTokens: Uint32Array): Rollout => {
    const completionTokens = tokenizer.encode(said[id]);
    return {
      id,
      groupId,
      problemId,
      taskId: "sums",
      promptTokens,
      completionTokens,
      generatorLogprobs: new Float32Array(completionTokens.length),
      generatorEntropies: new Float32Array(completionTokens.length),
      policyVersions: new Int32Array(completionTokens.length),
      temperature: 1,
      finishReason: said[id].endsWith(".") ? "stop" : "length",
    };
  };
  const grade = (
    { problem: asked, rollouts, completions }: AnsweredProblem,
    groupId: number,
  ): RewardedGroup => ({
    groupId,
    problem: asked,
    rollouts: rollouts.map((r, i) => {
      const extracted = /boxed (\d+)/.exec(completions[i])?.[1];
      const hung = completions[i].startsWith("=");
      const correct = hung ? null : Number(extracted === asked.answer);
      const reward = hung ? null : extracted === undefined ? 0 : 0.1 + 0.9 * correct!;
      const verdicts = [{ name: "magistral", reward, extracted, ms: 0 }];
      return { ...r, completion: completions[i], reward, rewards: { magistral: reward }, correct, verdicts };
    }),
  });
  return {
    problems,
    samples: said.length,
    encoder: { tokenizer },
    generate: async (prompts, samples) =>
      prompts.map((prompt, g) =>
        Array.from({ length: samples }, (_, i) => rollout(i, g, prompt.problem.id, prompt.tokens)),
      ),
    score: async (groups) => groups.map(grade),
    ...change,
  };
}

describe("evaluate()", () => {
  it("sums up pass@k, maj@k, lengths, cuts, format and what could not be scored", async () => {
    const result = await evaluate(await request(["boxed 2.", "boxed 5.", "boxed 2", "=1"]));
    const { metrics } = result;
    expect(metrics["pass@1"]).toBeCloseTo((0.5 + 0.25) / 2, 12);
    expect(metrics["pass@2"]).toBeCloseTo((1 - (2 * 1) / (4 * 3) + 0.5) / 2, 12);
    expect(metrics["pass@4"]).toBe(1);
    // Of 1+1 the vote is 2 against 1 for the right answer; of 2+3 it is the other way round.
    expect(metrics["maj@4"]).toBe(0.5);
    expect(metrics).not.toHaveProperty("maj@1");
    expect(metrics.mean_length).toBe((3 + 3 + 2 + 2) / 4);
    expect(metrics.clipped_ratio).toBe(0.5);
    expect(metrics.format).toBe(1);
    expect(metrics.unscored).toBe(0.25);
    expect(metrics.reward).toBeCloseTo((1 + 0.1 + 1 + 0.1 + 1 + 0.1) / 6, 12);
    expect(result).toMatchObject({ problems: 2, samples: 4, completions: 8, generatedTokens: 20 });
    expect(result.perProblem.map(({ right, judged }) => [right, judged])).toEqual([
      [2, 3],
      [1, 3],
    ]);
  });

  it("refuses by number the rows it has no tokens for, and never asks them", async () => {
    const { refused, perProblem } = await evaluate(await request(["boxed 2."]));
    expect(refused).toEqual([
      { row: 2, id: "p1", reason: expect.stringContaining('"*" (U+002A) at position 1') },
    ]);
    expect(perProblem.map((result) => result.problem.id)).toEqual(["p0", "p2"]);
  });

  it("refuses altogether when strict, or when no row can be asked", async () => {
    await expect(evaluate(await request(["1."], { strict: true }))).rejects.toThrow(
      /1 of 3 problems, row 2: /,
    );
    const none = await request(["1."], { problems: [problems[1]] });
    await expect(evaluate(none)).rejects.toMatchObject({ code: "evaluation/unencodable" });
    await expect(evaluate(await request(["1."], { maxPromptTokens: 3 }))).rejects.toThrow(/4 tokens, 3 fit/);
  });

  it("reports no pass@k where nothing judges correctness, and no format where nothing looks", async () => {
    const plain = await request(["=", "="]);
    const { metrics } = await evaluate(plain);
    expect(Object.keys(metrics).sort()).toEqual(["clipped_ratio", "mean_length", "unscored"]);
    expect(metrics.unscored).toBe(1);
  });

  it("does not take part of an answer for the whole", async () => {
    await expect(evaluate(await request(["1.", "2."], { generate: async () => [[]] }))).rejects.toThrow(
      /1 of 2 prompts/,
    );
    await expect(evaluate(await request(["1."], { samples: 0 }))).rejects.toThrow(RangeError);
    const short = await request(["1.", "2."]);
    const generate: EvaluationRequest["generate"] = (prompts) => short.generate(prompts, 1);
    await expect(evaluate({ ...short, generate })).rejects.toThrow(/has 1 completions, not 2/);
  });
});

describe("reportedK()", () => {
  it("doubles up to the number of samples", () => {
    expect(reportedK(1)).toEqual([1]);
    expect(reportedK(8)).toEqual([1, 2, 4, 8]);
    expect(reportedK(10)).toEqual([1, 2, 4, 8, 10]);
  });
});
