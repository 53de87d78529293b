import { describe, expect, it } from "vitest";
import { makeTask } from "../../../../src/tasks/registry.ts";
import {
  readSum,
  withoutWording,
  wordingLanguages,
  wordQuestion,
} from "../../../../src/ui/views/chat/wording.ts";

const sums = makeTask("chain_sum", {}, 0);
const countdown = makeTask("countdown", {}, 0);
const word = (typed: string, tasks = [sums], drawn: Parameters<typeof wordQuestion>[3] = null) =>
  wordQuestion(typed, "en", tasks, drawn, false);

describe("readSum()", () => {
  it.each([
    ["3+8-2", "3 + 8 - 2", "9"],
    ["  3 + 8 - 2 =", "3 + 8 - 2", "9"],
    ["4 − 9", "4 - 9", "-5"],
    ["4--7", "4 - -7", "11"],
    ["12 + 30", "12 + 30", "42"],
  ])("reads %j", (text, expression, answer) => expect(readSum(text)).toEqual({ expression, answer }));

  it("leaves the answer open where adding would not be exact", () => {
    expect(readSum("99999999999999999999 + 1")).toEqual({
      expression: "99999999999999999999 + 1",
      answer: null,
    });
  });

  it.each(["7", "3 * 4", "3 +", "three + 4", "3 + 4 = 7", ""])("refuses %j", (text) =>
    expect(readSum(text)).toBeNull(),
  );
});

describe("wordQuestion()", () => {
  it("puts the wording before a bare sum, exactly as the task words it", () => {
    const [problem] = sums.heldOut(1, 4);
    const { text, language } = withoutWording(problem.prompt as string);
    const question = wordQuestion(text.replaceAll(" ", ""), language!, [sums], null, false);
    expect(question).toMatchObject({ prompt: problem.prompt, shown: text, caution: null });
    expect(question?.problem).toMatchObject({
      answer: problem.answer,
      id: problem.id,
      taskId: problem.taskId,
    });
  });

  it("keeps a wording that was typed, whatever language is chosen", () => {
    const [problem] = makeTask("chain_sum", { languages: ["de"] }, 0).heldOut(1);
    expect(word(problem.prompt as string)?.prompt).toBe(problem.prompt);
  });

  it.each(["1 + 2 + 3 + 4", "12 + 3", "45 - 12"])(
    "warns of %j, which is outside the task, but asks it",
    (typed) => {
      const question = word(typed);
      expect(question?.caution).toContain("sums of 2 to 3 numbers of 1 digit");
      expect(question?.problem?.answer).not.toBeNull();
    },
  );

  it("asks anything else as it stands, without an answer", () => {
    const question = word("What is three and four?");
    expect(question).toMatchObject({ prompt: "What is three and four?", problem: null });
    expect(question?.caution).not.toBeNull();
  });

  it("knows the answer of a drawn problem only while its text is unchanged", () => {
    const [drawn] = countdown.heldOut(1);
    const prompt = drawn.prompt as string;
    expect(word(prompt, [countdown], drawn)?.problem).toBe(drawn);
    expect(word(`${prompt} `, [countdown], drawn)?.problem).toBeNull();
    // A bare sum is a chain sum only where that is the task.
    expect(word("3 + 4", [countdown])?.prompt).toBe("3 + 4");
  });

  it("puts free text into the chat template of a model without a task, and a task's prompts never", () => {
    expect(wordQuestion("Hello", "en", [], null, true)?.prompt).toEqual([{ role: "user", content: "Hello" }]);
    expect(wordQuestion("Hello", "en", [], null, false)?.prompt).toBe("Hello");
    expect(wordQuestion("3 + 4", "en", [sums], null, true)?.prompt).toEqual(expect.any(String));
  });

  it("has nothing to ask where nothing is typed", () => expect(word("  ")).toBeNull());
});

describe("wordingLanguages()", () => {
  it("offers the task's languages, and none for tasks that are worded in full", () => {
    expect(wordingLanguages([makeTask("chain_sum", { languages: ["de", "fr"] }, 0)])).toEqual(["de", "fr"]);
    expect(wordingLanguages([countdown])).toEqual([]);
  });
});
