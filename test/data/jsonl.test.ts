import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJsonl, parseJsonlBytes } from "../../src/data/jsonl.ts";
import { problemsFromRows, RESERVED_COLUMN_NAMES, type RowOptions } from "../../src/data/rows.ts";
import { RESERVED_COLUMNS } from "../../src/verifier/api.ts";

const datasets = new URL("../../../shared/material/datasets/", import.meta.url);
const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");
const readProblems = (text: string, options?: RowOptions) =>
  problemsFromRows(parseJsonl(text), options).problems;
const read = (...rows: unknown[]) => readProblems(lines(...rows), { file: "rows.jsonl" });

describe("readProblems() reads", () => {
  it("TRL's text prompts, with all further columns", () => {
    const [problem] = read({ prompt: "1+1=", solution: "2", level: 3, completion: "unused" });
    expect(problem).toEqual({
      id: "data/1",
      taskId: "data",
      prompt: "1+1=",
      answer: "2",
      columns: { solution: "2", level: 3 },
    });
  });

  it("TRL's messages", () => {
    const prompt = [
      { role: "system", content: "Think." },
      { role: "user", content: "1+1" },
    ];
    expect(read({ prompt, answer: 2 })[0]).toMatchObject({ prompt, answer: "2", columns: { answer: 2 } });
    expect(read({ prompt })[0].answer).toBeNull();
  });

  it("verl's ground truth, as answer and as column", () => {
    const row = {
      data_source: "gsm8k",
      prompt: [{ role: "user", content: "q" }],
      reward_model: { style: "rule", ground_truth: "72" },
      answer: "not this",
    };
    expect(read(row)[0]).toMatchObject({
      answer: "72",
      columns: { ground_truth: "72", data_source: "gsm8k" },
    });
  });

  it("GSM8K's answers after the mark, without thousands separators", () => {
    const ask = (answer: string) => read({ question: "q", answer })[0].answer;
    expect(ask("48/2 = <<48/2=24>>24\n#### 72")).toBe("72");
    expect(ask("#### 1,234,567")).toBe("1234567");
    expect(ask("#### 1,23")).toBe("1,23");
    expect(ask("2,5,9")).toBe("2,5,9");
  });

  it("the answer column it is told to", () => {
    const text = lines({ prompt: "q", answer: "1", gold: "2" });
    expect(readProblems(text, { answerColumn: "gold" })[0].answer).toBe("2");
    expect(() => readProblems(text, { answerColumn: "golden" })).toThrow(
      /line 1: the column `golden` is missing/,
    );
  });

  it("blank lines, a byte-order mark and Windows line ends", () => {
    const text = `\uFEFF{"prompt":"a"}\r\n\r\n{"prompt":"b"}\r\n`;
    expect(readProblems(text).map((p) => p.id)).toEqual(["data/1", "data/3"]);
  });

  it("any JSON objects back as they were", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { minLength: 1 }), (rows) => {
        const plain = rows.map((row) => JSON.parse(JSON.stringify(row)));
        expect(parseJsonl(lines(...plain)).rows.map((r) => r.row)).toEqual(plain);
      }),
    );
  });

  it.skipIf(!existsSync(datasets)).each([
    ["gsm8k/train.jsonl", 7473],
    ["reasoning-gym/chain_sum.jsonl", 200],
    ["reasoning-gym/countdown.jsonl", 400],
    ["reasoning-gym/number_sorting.jsonl", 100],
  ])("%s whole", (name, rows) => {
    const problems = readProblems(readFileSync(new URL(name, datasets), "utf8"));
    expect(problems.length).toBe(rows);
    expect(problems.every((p) => p.answer !== null && !p.answer.includes("####"))).toBe(true);
    if (name.startsWith("gsm8k")) expect(problems.every((p) => /^-?[\d.]+$/.test(p.answer!))).toBe(true);
  });
});

describe("readProblems() refuses, naming the line", () => {
  it.each([
    ["an empty file", "", /rows\.jsonl: it holds no rows/],
    ["blank lines only", "\n \n", /holds no rows/],
    ["broken JSON", '{"prompt":"a"}\n{"prompt":', /line 2 of rows\.jsonl: it is not JSON/],
    ["a list", '{"prompt":"a"}\n\n[1]', /line 3 of rows\.jsonl: it holds a list/],
    ["null", "null", /line 1 .*it holds null/],
    ["no problem", lines({ prompt: "a" }, { text: "b" }), /line 2 .*neither `prompt` nor `question`/],
    ["a question without answer", lines({ question: "a" }), /line 1 .*no `answer`/],
    [
      "an answer missing later",
      lines({ prompt: "a", answer: "1" }, { prompt: "b" }),
      /line 2 .*answer is missing/,
    ],
    ["a number as prompt", lines({ prompt: 7 }), /`prompt` is not text/],
    ["an empty prompt", lines({ prompt: " " }), /`prompt` is empty/],
    ["no messages", lines({ prompt: [] }), /no messages/],
    [
      "an unknown role",
      lines({ prompt: [{ role: "robot", content: "x" }] }),
      /message 1 has the role "robot"/,
    ],
    ["a message without text", lines({ prompt: [{ role: "user", content: [1] }] }), /content of message 1/],
    ["null as message", lines({ prompt: [null] }), /message 1 has the role/],
    [
      "an object as answer",
      lines({ prompt: "a", answer: { x: 1 } }),
      /`answer` is neither text nor a number/,
    ],
    ["nothing after ####", lines({ question: "a", answer: "b ####" }), /nothing follows/],
    ["verl without ground truth", lines({ prompt: "a", reward_model: {} }), /no `ground_truth`/],
    [
      "a reserved column",
      lines({ prompt: "a" }, { prompt: "b", completions: 1 }),
      /line 2 .*`completions` is reserved/,
    ],
  ])("%s", (_name, text, message) => {
    expect(() => readProblems(text, { file: "rows.jsonl" })).toThrow(message);
    expect(() => readProblems(text)).toThrowError(expect.objectContaining({ name: "DataError" }));
  });

  it("columns that a reward needs", () => {
    const text = lines({ prompt: "a", level: 1 }, { prompt: "b" });
    expect(() => readProblems(text, { requiredColumns: ["level"] })).toThrow(
      /line 2: the column `level` is missing/,
    );
  });

  it("the same reserved names as the verifier", () => {
    expect([...RESERVED_COLUMN_NAMES].sort()).toEqual([...RESERVED_COLUMNS].sort());
  });
});

describe("parseJsonlBytes()", () => {
  const latin = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

  it("lists lines that are not UTF-8 as bad, and reads the others", () => {
    const first = new TextEncoder().encode('\uFEFF{"prompt":"na\u00efve","answer":"1"}\n\n');
    const bytes = new Uint8Array([...first, ...latin('{"prompt":"caf\u00e9"}\n{"prompt":"q"}')]);
    const { rows, bad } = parseJsonlBytes(bytes);
    expect(rows.map(({ at, row }) => [at, row.prompt])).toEqual([
      [1, "na\u00efve"],
      [4, "q"],
    ]);
    expect(bad).toEqual([
      { at: 3, reason: "it is not UTF-8", hint: expect.stringContaining("Save the file as UTF-8") },
    ]);
    expect(parseJsonlBytes(latin("\xff\xfe{\0}\0")).bad).toMatchObject([
      { at: 1, reason: "it is not UTF-8" },
    ]);
    expect(parseJsonlBytes(first).bad).toEqual([]);
  });
});
