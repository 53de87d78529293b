import { beforeAll, describe, expect, it } from "vitest";
import type { Problem, Rollout } from "../../src/rollout.ts";
import type { VerifierOptions } from "../../src/verifier/api.ts";
import { checkCountdown, countdownExpression } from "../../src/verifier/countdown.ts";
import { checkFormat, DEFAULT_FORMAT } from "../../src/verifier/format.ts";
import { cosineScaled } from "../../src/verifier/rewards/cosine.ts";
import { digitsReward } from "../../src/verifier/rewards/digits.ts";
import { softPenalty } from "../../src/verifier/rewards/length_penalty.ts";
import { repetitionPenalty } from "../../src/verifier/rewards/repetition.ts";
import { createScorer } from "../../src/verifier/score.ts";
import { hasMaterial, material } from "./material.ts";

const problem = (part: Partial<Problem> = {}): Problem => ({
  id: "p1",
  taskId: "t",
  prompt: "2+3=",
  answer: "5",
  columns: {},
  ...part,
});
const rollout = (length: number): Rollout => ({
  id: 1,
  groupId: 7,
  problemId: "p1",
  taskId: "t",
  promptTokens: new Uint32Array(1),
  completionTokens: Uint32Array.from({ length }, (_, k) => k),
  generatorLogprobs: new Float32Array(length),
  generatorEntropies: new Float32Array(length),
  policyVersions: new Int32Array(length),
  temperature: 1,
  finishReason: "stop",
});
const base: VerifierOptions = { rewards: ["magistral"], lengthMax: 20_000, lengthCache: 4000 };

async function reward(completion: string, options: Partial<VerifierOptions>, about = problem(), length = 10) {
  const scorer = await createScorer({ ...base, ...options }, { symbolic: null });
  const group = { problem: about, rollouts: [rollout(length)], completions: [completion] };
  const { rollouts } = await scorer.scoreGroup(group, { global_step: 0 });
  scorer.dispose();
  return rollouts[0];
}

interface RewardCase {
  reward: string;
  completion?: string;
  completion_ids?: number[];
  expected: number;
  ngram?: number;
  max_penalty?: number;
  length?: number;
  max_len?: number;
  cache?: number;
  correct?: boolean;
  min_value_correct?: number;
  max_value_correct?: number;
}

describe.skipIf(!hasMaterial)("published reward cases", () => {
  let cases: RewardCase[] = [];
  beforeAll(() => {
    cases = material<{ cases: RewardCase[] }>("rl/reward-cases.json").cases;
  });
  const of = (kind: string) => cases.filter((c) => c.reward.startsWith(kind));

  it("think_format is TRL's", async () => {
    expect(of("think_format").length).toBe(14);
    for (const c of of("think_format")) {
      const { rewards } = await reward(c.completion ?? "", { rewards: ["think_format"] });
      expect(rewards.think_format, c.completion).toBe(c.expected);
    }
  });

  it("repetition is TRL's over ids and open-r1's over words", () => {
    expect(of("repetition_penalty").length).toBe(26);
    for (const c of of("repetition_penalty")) {
      const items = c.completion_ids ?? (c.completion ?? "").split(/\s+/).filter((word) => word !== "");
      const value = repetitionPenalty(items, c.ngram ?? 3, c.max_penalty ?? -1);
      expect(value, JSON.stringify(c)).toBeCloseTo(c.expected, 4);
    }
  });

  it("soft_overlong is DAPO's", () => {
    expect(of("soft_overlong").length).toBe(3);
    for (const c of of("soft_overlong")) {
      expect(softPenalty(c.length ?? 0, c.max_len ?? 0, c.cache ?? 0)).toBe(c.expected);
    }
  });

  it("cosine is TRL's", () => {
    expect(of("cosine").length).toBe(13);
    for (const c of of("cosine")) {
      const [zero, max] = c.correct ? [c.max_value_correct ?? 1, c.min_value_correct ?? 0.5] : [-1, -0.5];
      expect(cosineScaled(c.length ?? 0, c.max_len ?? 1, zero, max), JSON.stringify(c)).toBeCloseTo(
        c.expected,
        4,
      );
    }
  });
});

describe("length penalty", () => {
  it("gives the recipe's vector", () => {
    const at = (length: number) => 0.1 * softPenalty(length, 20_000, 4000);
    expect(at(16_000)).toBe(0);
    expect(at(16_001)).toBeCloseTo(-2.5e-5, 12);
    expect(at(18_000)).toBeCloseTo(-0.05, 12);
    expect(at(20_000)).toBeCloseTo(-0.1, 12);
    expect(at(20_001)).toBeCloseTo(-0.1, 12);
    expect(softPenalty(50, 10, 0)).toBe(0);
    expect([50, 80, 85, 90, 100, 101, 110].map((n) => softPenalty(n, 100, 20))).toEqual([
      0, 0, -0.25, -0.5, -1, -1, -1,
    ]);
  });
});

describe("checkFormat()", () => {
  it.each([
    ["<think>a</think>\\boxed{1}", true, "format holds"],
    ["a<think>b</think>\\boxed{1}", false, "does not begin"],
    ["<think>a\\boxed{1}", false, "0 times </think>"],
    ["<think>a</think>b<think>c</think>\\boxed{1}", false, "2 times <think>"],
    ["<think>a</think></think>\\boxed{1}", false, "2 times </think>"],
    ["<think>\\boxed{1}</think> one", false, "no \\boxed"],
    ["<think>a</think>\\boxed{1", false, "no \\boxed"],
    ["", false, "does not begin"],
  ])("%s", (completion, ok, reason) => {
    const check = checkFormat(completion);
    expect(check.ok).toBe(ok);
    expect(check.reason).toContain(reason);
  });

  it("counts a tag the prompt already ends with", () => {
    const prefilled = { ...DEFAULT_FORMAT, prefilledThink: true };
    expect(checkFormat("a</think>\\boxed{\\frac{1}{2}}", prefilled)).toMatchObject({
      ok: true,
      answer: "\\frac{1}{2}",
    });
    expect(checkFormat("<think>a</think>\\boxed{1}", prefilled).ok).toBe(false);
  });
});

describe("magistral", () => {
  it("adds up format, correctness and length", async () => {
    const right = "<think>2+3=5</think>\\boxed{5}<eos>";
    expect(await reward(right, {})).toMatchObject({ reward: 1, correct: 1, groupId: 7 });
    expect(await reward(right.replace("{5}", "{6}"), {})).toMatchObject({ reward: 0.1, correct: 0 });
    expect(await reward("\\boxed{5}", {})).toMatchObject({ reward: 0, correct: 0 });
    expect((await reward(right, {}, problem(), 18_000)).reward).toBeCloseTo(0.95, 12);
    expect((await reward("<think>", {}, problem(), 20_000)).reward).toBe(0);
    const { verdicts } = await reward(right, {});
    expect(verdicts).toEqual([
      {
        name: "magistral",
        reward: 1,
        extracted: "5",
        expected: "5",
        reason: "same text",
        ms: expect.any(Number),
      },
    ]);
  });

  it("adds the bonus where problem, thoughts and answer are in one language", async () => {
    const english = problem({ prompt: "What is the sum of the numbers two and three, please?" });
    const think = "First I add the numbers two and three together, which makes five.";
    const say = "Therefore the sum of these two numbers is \\boxed{5}.";
    const with_ = (thoughts: string) =>
      reward(`<think>${thoughts}</think>${say}`, { languageBonus: true }, english);
    expect((await with_(think)).reward).toBeCloseTo(1.1, 12);
    expect((await with_("Zuerst addiere ich die beiden Zahlen, das ergibt zusammen fünf.")).reward).toBe(1);
    expect((await with_("2+3=5")).reward).toBe(1);
    expect((await with_("2+3=5")).verdicts[0].reason).toContain("eng, unknown, eng");
    const ignore = { languageBonus: true, languageUnknown: "ignore" as const };
    expect((await reward(`<think>2+3=5</think>${say}`, ignore, english)).reward).toBeCloseTo(1.1, 12);
  });

  it("gives null where the problem cannot be graded", async () => {
    const open = await reward("<think>a</think>\\boxed{5}", {}, problem({ answer: null }));
    expect(open).toMatchObject({ reward: null, rewards: { magistral: null }, correct: null });
  });

  it("judges the answer behind GSM8K's mark and Countdown by arithmetic", async () => {
    const gsm = problem({ answer: "He has 2+3=<<2+3=5>>5 apples.\n#### 1,005" });
    expect((await reward("<think>x</think>\\boxed{1005}", {}, gsm)).reward).toBe(1);
    const game = problem({ answer: null, columns: { numbers: [2, 3, 7], target: 13 } });
    expect((await reward("<think>x</think>\\boxed{2*3+7}", {}, game)).reward).toBe(1);
    expect((await reward("<think>x</think>\\boxed{13}", {}, game)).reward).toBe(0.1);
    const sort = problem({ answer: "2,5,9", columns: { direction: "ascending" } });
    expect((await reward("<think>x</think>\\boxed{5,2,9}", {}, sort)).reward).toBe(0.1);
    expect((await reward("<think>x</think>\\boxed{2, 5, 9}", {}, sort)).reward).toBe(1);
  });
});

describe("accuracy, cosine", () => {
  it("looks behind the thoughts in whatever form the answer has", async () => {
    const at = (text: string) => reward(text, { rewards: ["accuracy"] });
    expect((await at("<think>7</think>The answer is 5.")).reward).toBe(1);
    expect((await at("The answer is $\\frac{10}{2}$")).reward).toBe(1);
    expect((await at("<think>5</think>It is 7")).reward).toBe(0);
    expect((await at("no idea")).reward).toBe(0);
    expect((await reward("5", { rewards: ["accuracy"] }, problem({ answer: null }))).reward).toBeNull();
    const short = await reward("5", { rewards: ["cosine"], cosine: { maxLength: 100 } }, problem(), 25);
    expect(short.reward).toBeCloseTo(0.92678, 4);
  });

  it("cuts the end token off and weights the sum", async () => {
    const options = { rewards: ["accuracy", "format"], weights: [0.7, 0.3], endTokens: ["<|im_end|>"] };
    const one = await reward("5<|im_end|>", options);
    expect(one.rewards).toEqual({ accuracy: 1, format: 0 });
    expect(one.reward).toBeCloseTo(0.7, 12);
    expect(one.verdicts[0].extracted).toBe("5");
  });
});

describe("digits", () => {
  it("pays for each leading character that is right, the end token last", () => {
    expect(digitsReward("7,2,6,1E", "7,2,6,1", "E")).toBe(1);
    expect(digitsReward("7,2,6,1", "7,2,6,1", "E")).toBe(7 / 8);
    expect(digitsReward("7,3", "7,2,6,1", "E")).toBe(2 / 8);
    expect(digitsReward("E", "7,2", "E")).toBe(0);
    expect(digitsReward("E", "", "E")).toBe(1);
    expect(digitsReward("7E", "", "E")).toBe(0);
    expect(digitsReward("7,2,6", "7,2", "E")).toBe(3 / 4);
  });

  it("comes by name with its end token", async () => {
    const asked = problem({ prompt: "8,3:9,4S", answer: "7,2,6,1" });
    expect(await reward("7,2,6,1E", { rewards: ["digits"] }, asked)).toMatchObject({ reward: 1, correct: 1 });
    expect(await reward("7,2,6,1$", { rewards: ["digits"], digits: { endToken: "$" } }, asked)).toMatchObject(
      { reward: 1 },
    );
  });
});

describe("countdown", () => {
  const game = { numbers: [2n, 3n, 39n], target: { top: 42n, bottom: 1n } };
  it.each([
    ["2 + 39 + 1", false, "1 is not given"],
    ["39 + 3", false, "2 not used"],
    ["(39 + 3) * 2 / 2", false, "2 is not given, or used too often"],
    ["39 + 3 * (3 - 2)", false, "3 is not given"],
    ["39 + 2 + 3", false, "gives 44"],
    ["39 - 2 \\times 3", false, "gives 33"],
    ["39 / (3 - 3)", false, "3 is not given"],
    ["", false, "an operand is missing"],
    ["39 39", false, "unexpected 39"],
    ["(39", false, "not closed"],
    ["39 + x", false, "unexpected x"],
    ["(".repeat(60), false, "nested"],
    ["39".padEnd(500, "+"), false, "longer"],
  ])("refuses %s", (text, correct, reason) => {
    const judgement = checkCountdown(text, game, true);
    expect(judgement.correct).toBe(correct);
    expect(judgement.reason).toContain(reason);
  });

  it("is exact, reads LaTeX, and lets numbers be left over where allowed", () => {
    expect(checkCountdown("39+3", game, false).correct).toBe(true);
    const thirds = { numbers: [8n, 3n, 8n, 3n], target: { top: 24n, bottom: 1n } };
    expect(checkCountdown("8 / (3 - 8/3)", thirds, true).correct).toBe(true);
    expect(checkCountdown("\\frac{8}{3-\\frac{8}{3}}", thirds, true).correct).toBe(true);
    expect(countdownExpression("$2 \\times 3 = 6$")).toBe("2 * 3");
    expect(checkCountdown("3/(2-2)", { numbers: [3n, 2n, 2n], target: game.target }, true).reason).toContain(
      "zero",
    );
  });

  it("comes by name, from a box, an answer tag or the last line", async () => {
    const asked = problem({ answer: null, columns: { metadata: { numbers: [1, 2, 39], target: 42 } } });
    const at = async (text: string) => (await reward(text, { rewards: ["countdown"] }, asked)).reward;
    expect(await at("<think>39+2</think>\\boxed{2 + 39 + 1}")).toBe(1);
    expect(await at("<think>a</think> <answer>39+2+1 = 42</answer>")).toBe(1);
    expect(await at("Here it is:\n1+2+39")).toBe(1);
    expect(await at("42")).toBe(0);
    expect((await reward("1+1", { rewards: ["countdown"] })).reward).toBeNull();
  });
});
