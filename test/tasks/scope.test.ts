import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readProblems } from "../../src/data/problems.ts";
import type { Problem } from "../../src/rollout.ts";
import { LANGUAGES } from "../../src/tasks/api.ts";
import { dataTask } from "../../src/tasks/data_task.ts";
import { makeMixture, makeTask } from "../../src/tasks/registry.ts";
import { outOfScope, readScope, scopeEntries } from "../../src/tasks/scope.ts";

const file = new URL("../../../shared/material/datasets/reasoning-gym/chain_sum.jsonl", import.meta.url);
const WORDING = "State the final answer to the following arithmetic problem:";
const problem = (prompt: Problem["prompt"]): Problem => ({
  id: "p",
  taskId: "data",
  prompt,
  answer: "1",
  columns: {},
});

describe("chain_sum accepts()", () => {
  it("takes every problem that it draws, whatever its options", () => {
    for (const options of [
      { languages: [...LANGUAGES] },
      { minTerms: 2, maxTerms: 6, maxDigits: 4 },
      { allowNegation: true, maxDigits: 3 },
    ]) {
      const task = makeTask("chain_sum", options, 3);
      const drawn = [...Array.from({ length: 300 }, (_, i) => task.sample(i)), ...task.heldOut(50)];
      expect(drawn.filter(({ prompt }) => !task.accepts!(String(prompt)))).toEqual([]);
    }
  });

  it.each([
    [`${WORDING} 12 + 7 =`, "numbers of two lengths"],
    [`${WORDING} 12 + 17 =`, "two digits"],
    [`${WORDING} 1 + 2 + 3 + 4 =`, "four terms"],
    [`${WORDING} 1 =`, "one term"],
    [`${WORDING} 1 + -2 =`, "a negative number"],
    [`${WORDING} 1 * 2 =`, "a product"],
    [`${WORDING} 1 + 2`, "no end"],
    [`${WORDING} 1 + 2 = 3`, "more than the end"],
    [" 1 + 2 =", "no wording"],
    ["Donnez le résultat final de l'opération suivante : 1 + 2 =", "a language it does not have"],
  ])("refuses %s: %s", (prompt) => {
    expect(makeTask("chain_sum", {}, 0).accepts!(prompt)).toBe(false);
  });

  it("tells numbers with leading zeros from numbers that it draws", () => {
    const { accepts } = makeTask("chain_sum", { maxDigits: 2 }, 0);
    expect(accepts!(`${WORDING} 10 + 20 =`)).toBe(true);
    expect(accepts!(`${WORDING} 10 + 02 =`)).toBe(false);
    expect(accepts!(`${WORDING} 0 + 9 =`)).toBe(true);
  });

  it.skipIf(!existsSync(file))(
    "takes 23 of reasoning-gym's 200 rows: two or three one-digit terms",
    async () => {
      const { accepts } = makeTask("chain_sum", {}, 0);
      const { problems } = await readProblems(readFileSync(file, "utf8"));
      const taken = problems.filter(({ prompt }) => accepts!(String(prompt)));
      expect(taken).toHaveLength(23);
      for (const { columns } of taken) {
        const { num_terms, num_digits } = columns.metadata as { num_terms: number; num_digits: number };
        expect([num_terms <= 3, num_digits]).toEqual([true, 1]);
      }
    },
  );
});

describe("readScope()", () => {
  it("reads back what scopeEntries() wrote", () => {
    const task = makeTask("chain_sum", { languages: ["en", "fr"] }, 5);
    const entries = JSON.parse(JSON.stringify(scopeEntries(task, 24)));
    expect(entries.max_new_tokens).toBe(24);
    const scope = readScope(entries);
    expect(scope.tasks[0].options).toEqual(task.options);
    expect(scope.rewards).toEqual(["magistral"]);
    expect(outOfScope(scope, problem(`${WORDING} 1 + 2 =`))).toBeNull();
    expect(outOfScope(scope, problem(`${WORDING} 11 + 12 =`))).toMatch(/outside .* \(chain_sum\)/);
    expect(outOfScope(scope, problem([{ role: "user", content: "1 + 2" }]))).toMatch(/outside/);
  });

  it("lets a mixture answer what any part takes, and anything where a part cannot tell", () => {
    const sums = [
      { name: "chain_sum", options: { maxTerms: 2 } },
      { name: "chain_sum", options: { minTerms: 5, maxTerms: 5 } },
    ];
    const scope = readScope(scopeEntries(makeMixture(sums, 0), 24));
    expect(scope.tasks).toHaveLength(2);
    expect(outOfScope(scope, problem(`${WORDING} 1 + 2 =`))).toBeNull();
    expect(outOfScope(scope, problem(`${WORDING} 1 + 2 + 3 =`))).not.toBeNull();
    const open = readScope(scopeEntries(makeMixture([...sums, { name: "sorting" }], 0), 24));
    expect(outOfScope(open, problem("anything"))).toBeNull();
  });

  it("lets a policy trained on data, and a model without a note, be asked anything", () => {
    const rows = [problem("a"), problem("b")];
    const entries = scopeEntries(dataTask(rows, 0), 99, ["accuracy"]);
    expect(readScope(entries)).toEqual({ tasks: [], rewards: ["accuracy"] });
    expect(outOfScope(readScope(entries), problem("anything"))).toBeNull();
    expect(readScope(undefined)).toEqual({ tasks: [], rewards: [] });
    expect(readScope({ eos_token_id: 1 })).toEqual({ tasks: [], rewards: [] });
  });

  it.each([
    { tasks: "chain_sum" },
    { tasks: [{ name: "chain_sums" }] },
    { tasks: [null] },
    { tasks: [{ name: "chain_sum", options: { maxTerm: 3 } }] },
    { rewards: [1] },
  ])("refuses the note %j", (note) => {
    expect(() => readScope({ webgrpo: note })).toThrow(
      expect.objectContaining({ name: "DataError", code: "model/bad-scope" }),
    );
  });
});
