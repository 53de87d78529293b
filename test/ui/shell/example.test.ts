import { describe, expect, it } from "vitest";
import {
  beforeAndAfter,
  exampleOf,
  exampleOfSamples,
  readCompletion,
  splitPrompt,
} from "../../../src/ui/shell/example.ts";
import type { RolloutRow, SampleCompletion } from "../../../src/ui/state/records.ts";

describe("readCompletion()", () => {
  it("takes thought and boxed answer apart", () => {
    expect(readCompletion("<think>4-5=-1,-1+8=7</think>\\boxed{7}<eos>")).toEqual({
      thought: "4-5=-1,-1+8=7",
      answer: "7",
    });
  });

  it("keeps an answer without box or thought whole", () => {
    expect(readCompletion("The answer is 7.</s>")).toEqual({ thought: null, answer: "The answer is 7." });
  });

  it("leaves out the special tokens of chat models", () => {
    expect(readCompletion("<|im_start|>42<|im_end|>").answer).toBe("42");
  });

  it("keeps what looks like a tag but is none", () => {
    expect(readCompletion("3 <4> 5").answer).toBe("3 <4> 5");
  });

  it("reads a thought that was never closed as text", () => {
    expect(readCompletion("<think>2+2").thought).toBeNull();
  });
});

describe("splitPrompt()", () => {
  it("puts the question after the last colon in front", () => {
    expect(splitPrompt("State the final answer: 8 - 5 =")).toEqual({
      lead: "State the final answer",
      question: "8 - 5 =",
    });
  });

  it("keeps long questions whole, and takes the last message of a talk", () => {
    const long = `Solve: ${"x".repeat(60)}`;
    expect(splitPrompt(long)).toEqual({ lead: "", question: long });
    expect(
      splitPrompt([
        { role: "system", content: "Be brief" },
        { role: "user", content: "2 + 2?" },
      ]).question,
    ).toBe("2 + 2?");
  });
});

let nextId = 0;
const row = (group: number, prompt: string, reward: number, more: Partial<RolloutRow> = {}) =>
  ({
    id: nextId++,
    group,
    prompt,
    reward,
    correct: reward > 0.5 ? 1 : 0,
    completion: `\\boxed{${reward}}`,
    answer: "1",
    verdicts: [],
    ...more,
  }) as unknown as RolloutRow;

describe("exampleOf()", () => {
  it("takes the longest problem and the middle one of its answers", () => {
    const rollouts = [
      row(1, "1 + 1 =", 1),
      row(2, "1 + 1 + 1 =", 1),
      row(2, "1 + 1 + 1 =", 0),
      row(2, "1 + 1 + 1 =", 0.1),
      row(2, "1 + 1 + 1 =", 0.1),
    ];
    const example = exampleOf(rollouts)!;
    expect(example).toMatchObject({ question: "1 + 1 + 1 =", answer: "0.1", right: false });
    expect(example.group.map(({ right }) => right)).toEqual([true, false, false, false]);
    expect(example.group.filter(({ shown }) => shown)).toHaveLength(1);
  });

  it("shows the answer that the verifier found", () => {
    const verdicts = [{ name: "accuracy", reward: 1, extracted: "9", ms: 1 }];
    expect(exampleOf([row(1, "p", 1, { verdicts })])?.answer).toBe("9");
  });

  it("judges by the reward where nobody judged correctness", () => {
    expect(exampleOf([row(1, "p", 0.9, { correct: null })])?.right).toBe(true);
    expect(exampleOf([row(1, "p", 0, { correct: null, reward: null })])?.right).toBeNull();
  });

  it("tells the right answer where another was given", () => {
    expect(exampleOf([row(1, "p", 0.1)])).toMatchObject({ answer: "0.1", expected: "1" });
    expect(exampleOf([row(1, "p", 0, { completion: "1", correct: 0 })])?.expected).toBeNull();
  });

  it("has none of nothing", () => {
    expect(exampleOf([])).toBeNull();
  });
});

const sample = (prompt: string, completion: string, correct: number): SampleCompletion => ({
  prompt,
  completion,
  reward: correct,
  correct,
});

describe("exampleOfSamples()", () => {
  it("prefers an answer that is wrong but in order, the longest problem first", () => {
    const inOrder = (prompt: string) => ({ ...sample(prompt, "3", 0), reward: 0.1 });
    const samples = [
      sample("1 + 1 + 1 =", "3", 1),
      inOrder("1 ="),
      inOrder("1 + 1 ="),
      sample("1 + 1 + 3 =", "5", 0),
    ];
    expect(exampleOfSamples(samples)).toMatchObject({ question: "1 + 1 =", right: false });
  });

  it("takes a right one where none is wrong, and has none of nothing", () => {
    expect(exampleOfSamples([sample("1 + 1 =", "2", 1)])?.right).toBe(true);
    expect(exampleOfSamples([])).toBeNull();
  });
});

describe("beforeAndAfter()", () => {
  it("finds a problem that was wrong and is right", () => {
    const before = [sample("a", "x", 1), sample("b", "x", 0), sample("c", "x", 0)];
    const after = [sample("a", "y", 1), sample("b", "y", 0), sample("c", "<think>t</think>y", 1)];
    expect(beforeAndAfter(before, after)).toMatchObject({
      question: "c",
      before: { answer: "x", right: false },
      after: { thought: "t", answer: "y", right: true },
    });
  });

  it("claims no gain where there was none", () => {
    expect(beforeAndAfter([sample("a", "x", 1)], [sample("a", "y", 1)])).toBeNull();
    expect(beforeAndAfter([sample("a", "x", 0)], [sample("b", "y", 1)])).toBeNull();
    // Only the form was wrong.
    expect(beforeAndAfter([sample("a", "7", 0)], [sample("a", "<think>t</think>7", 1)])).toBeNull();
  });
});
