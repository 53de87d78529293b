import { describe, expect, it } from "vitest";
import { parseTemplate } from "../../src/data/prompts.ts";
import { problemsFromRows, type RowOptions } from "../../src/data/rows.ts";

const rowsOf = (rows: Record<string, unknown>[]) => ({
  unit: "line" as const,
  rows: rows.map((row, i) => ({ at: i + 1, row })),
  bad: [],
});
const read = (row: Record<string, unknown>, options: RowOptions = {}) =>
  problemsFromRows(rowsOf([row]), options).problems[0];
const user = (content: string) => ({ role: "user" as const, content });

describe("columns", () => {
  it("are found by their names, filled ones first", () => {
    expect(read({ question: "q", answer: "1" })).toMatchObject({ prompt: "q", answer: "1" });
    expect(read({ problem: "p", solution: "2" })).toMatchObject({ prompt: "p", answer: "2" });
    expect(read({ prompt: null, question: "q", answer: null, ground_truth: 3 })).toMatchObject({
      prompt: "q",
      answer: "3",
    });
  });

  it("are those that are named, fields of columns too", () => {
    const row = { prompt: "not this", answer: "nor this", task: { text: "t", gold: 4 }, "a.b": "dotted" };
    expect(read(row, { promptColumn: "task.text", answerColumn: "task.gold" })).toMatchObject({
      prompt: "t",
      answer: "4",
    });
    expect(read(row, { promptColumn: "a.b" })).toMatchObject({ prompt: "dotted", answer: "nor this" });
    expect(() => read(row, { promptColumn: "task.none" })).toThrow(
      /line 1: the column `task.none` is missing/,
    );
    expect(() => read({ prompt: "p" }, { answerColumn: "gold" })).toThrow(/the column `gold` is missing/);
  });

  it("with a recorded conversation give its question, and its last reply as answer", () => {
    const messages = [user("2+2?"), { role: "assistant", content: "It is 4.\n#### 4" }];
    expect(read({ messages })).toMatchObject({ prompt: [user("2+2?")], answer: "4" });
    expect(read({ messages, answer: "four" }).answer).toBe("four");
    // What a prompt ends with is to be continued.
    expect(read({ prompt: messages })).toMatchObject({ prompt: messages, answer: null });
    expect(() => read({ messages: messages.slice(1) })).toThrow(/the assistant's alone/);
  });

  it("that are null count as missing", () => {
    expect(() => read({ prompt: "p", level: null }, { requiredColumns: ["level"] })).toThrow(
      /`level` is missing/,
    );
    expect(() => read({ prompt: "p", reward_model: { ground_truth: null } })).toThrow(/no `ground_truth`/);
  });
});

describe("answers", () => {
  const solution = "So $x = \\boxed{2}$, hence \\boxed{\\frac{1}{2}}.";

  it.each([
    ["auto", "a\n#### 1,234", "1234"],
    ["auto", "then $\\boxed{\\text{(B)}}$.", "\\text{(B)}"],
    ["auto", solution, solution],
    ["auto", "plain", "plain"],
    ["column", "a\n#### 18", "a\n#### 18"],
    ["gsm8k", "a #### b #### 18", "18"],
    ["boxed", solution, "\\frac{1}{2}"],
  ] as const)("by %s of %j are %j", (answerFrom, answer, expected) => {
    expect(read({ question: "q", answer }, { answerFrom }).answer).toBe(expected);
  });

  it("without the form that is asked for are refused", () => {
    expect(() => read({ question: "q", answer: "18" }, { answerFrom: "gsm8k" })).toThrow(/no `####`/);
    expect(() => read({ question: "q", answer: "\\boxed{1" }, { answerFrom: "boxed" })).toThrow(
      /no `\\boxed/,
    );
  });

  it("of verl stand as they are unless a part is asked for", () => {
    const row = { prompt: "p", reward_model: { ground_truth: "\\boxed{3}" } };
    expect(read(row).answer).toBe("\\boxed{3}");
    expect(read(row, { answerFrom: "boxed" }).answer).toBe("3");
  });
});

describe("prompts", () => {
  it("are put into a template, and asked as messages", () => {
    const row = { problem: "1+1", level: 5, answer: "2" };
    const promptTemplate = "Level {level}: {prompt}\nAnswer in \\boxed{answer} {{x}}";
    expect(read(row, { promptTemplate }).prompt).toBe("Level 5: 1+1\nAnswer in \\boxed{answer} {x}");
    expect(read(row, { asMessages: true }).prompt).toEqual([user("1+1")]);
    expect(read(row, { promptTemplate: "{prompt}=", systemMessage: "Think." }).prompt).toEqual([
      { role: "system", content: "Think." },
      user("1+1="),
    ]);
  });

  it("of messages have their last question put into it, and their system message replaced", () => {
    const prompt = [{ role: "system", content: "old" }, user("first"), user("last")];
    expect(read({ prompt }, { promptTemplate: "<{prompt}>" }).prompt).toEqual([
      ...prompt.slice(0, 2),
      user("<last>"),
    ]);
    expect(read({ prompt }, { systemMessage: "new" }).prompt).toEqual([
      { role: "system", content: "new" },
      ...prompt.slice(1),
    ]);
    expect(() => read({ prompt: [prompt[0]] }, { promptTemplate: "<{prompt}>" })).toThrow(
      /none of its messages/,
    );
  });

  it("may be made of other columns alone", () => {
    expect(read({ target: 24, four: "1 2 3 4" }, { promptTemplate: "{four} → {target}" }).prompt).toBe(
      "1 2 3 4 → 24",
    );
    expect(() => read({ target: 24 }, { promptTemplate: "{four} → {target}" })).toThrow(
      /the column `four`, a slot of the prompt's template, is missing/,
    );
    expect(() => read({ four: [1] }, { promptTemplate: "{four}" })).toThrow(/`four`, .* is not text/);
  });

  it("need a template with a slot", () => {
    expect(parseTemplate("{{prompt}} {x}")).toEqual(["{", "prompt", "}", " ", { slot: "x" }]);
    for (const text of ["no slot", "\\boxed{prompt}", "{{prompt}}", "{ prompt }"])
      expect(() => parseTemplate(text), text).toThrow(/`data.promptTemplate`: it has no slot/);
  });
});

describe("rows that cannot be used", () => {
  const rows = [
    { prompt: "a", answer: "1" },
    { prompt: 7 },
    { prompt: "b", answer: "2" },
    { prompt: "c" },
    {},
  ];

  it("are all named at once", () => {
    expect(() => problemsFromRows(rowsOf(rows), { file: "f" })).toThrow(
      /^Cannot use line 2 of f: `prompt` is not text; lines 4, 5 cannot be used either$/,
    );
    const many = Array.from({ length: 20 }, () => ({}));
    expect(() => problemsFromRows(rowsOf(many))).toThrow(
      /lines 2, 3, .*, 9 and 11 more cannot be used either$/,
    );
  });

  it("are left out on request, with their reasons", () => {
    const { problems, skipped } = problemsFromRows(rowsOf(rows), { badRows: "skip" });
    expect(problems.map(({ id }) => id)).toEqual(["data/1", "data/3"]);
    expect(skipped.map(({ at, reason }) => [at, reason.slice(0, 24)])).toEqual([
      [2, "`prompt` is not text"],
      [4, "its answer is missing, b"],
      [5, "it has neither `prompt` "],
    ]);
  });

  it("fail where nothing is left", () => {
    expect(() => problemsFromRows(rowsOf([{}]), { badRows: "skip" })).toThrow(/line 1: it has neither/);
  });
});
