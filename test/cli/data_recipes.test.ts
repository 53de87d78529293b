/** The recipes whose problems come from the hub: they resolve, and read rows of the form that their data sets have. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { recipeFromFlags } from "../../src/cli/recipes.ts";
import { readDataName } from "../../src/config/data_name.ts";
import { readModelName } from "../../src/config/model_name.ts";
import { readProblems, rowOptions } from "../../src/data/problems.ts";
import type { Problem, Rollout } from "../../src/rollout.ts";
import { dataTask } from "../../src/tasks/data_task.ts";
import { createScorer } from "../../src/verifier/score.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const datasets = new URL("../../../shared/material/datasets/", import.meta.url);
const resolved = (recipe: string) => recipeFromFlags({ recipe }, { cwd: root, root });
const jsonl = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n");

const rolloutOf = (problem: Problem, id: number, length: number): Rollout => ({
  id,
  groupId: 0,
  problemId: problem.id,
  taskId: problem.taskId,
  promptTokens: new Uint32Array([1]),
  completionTokens: new Uint32Array(length),
  generatorLogprobs: new Float32Array(length),
  generatorEntropies: new Float32Array(length),
  policyVersions: new Int32Array(length),
  temperature: 1,
  finishReason: "stop",
});

async function problemsOf(name: string, content: string | Uint8Array) {
  const { data } = await resolved(name);
  return readProblems(content, rowOptions(data!));
}

describe.each(["gsm8k", "math", "mgsm"])("the recipe %s", (name) => {
  it("takes model and problems from the hub, asks messages, and fits its own lengths", async () => {
    const recipe = await resolved(name);
    expect([readModelName(recipe.model).kind, readDataName(recipe.data!.file).kind]).toEqual(["hub", "hub"]);
    expect(recipe.task).toBeUndefined();
    expect(recipe.description).toMatch(/not (been )?run to the end here/i);
    expect(recipe.data!.asMessages).toBe(true);
    expect(recipe.data!.promptTemplate).toContain("\\boxed{}");
    expect(recipe.verifier.lengthMax).toBe(recipe.generator.maxTokens);
    expect(recipe.evaluation.maxTokens).toBe(recipe.generator.maxTokens);
  });
});

describe("the recipe gsm8k", () => {
  it("asks and grades rows as its data set has them", async () => {
    const file = new Uint8Array(
      readFileSync(new URL("../data/parquet/gsm8k.snappy.parquet", import.meta.url)),
    );
    const { problems } = await problemsOf("gsm8k", file);
    expect(problems.map(({ answer }) => answer)).toEqual(["18", "2000", "7"]);
    expect(problems[2].prompt).toEqual([
      {
        role: "user",
        content:
          "Ten birds lose three. How many are left?\n\nThink step by step, then give the final number in \\boxed{}.",
      },
    ]);
  });

  it.skipIf(!existsSync(datasets))("reads all 7,473 rows and holds some out", async () => {
    const { data, seed } = await resolved("gsm8k");
    const { problems, skipped } = await problemsOf(
      "gsm8k",
      readFileSync(new URL("gsm8k/train.jsonl", datasets)),
    );
    expect([problems.length, skipped.length]).toEqual([7473, 0]);
    expect(problems.every(({ answer }) => /^-?[\d.]+$/.test(answer!))).toBe(true);
    const task = dataTask(problems, seed, data);
    expect(task.options).toMatchObject({ rows: 7473, heldOut: 149, training: 7324 });
  });
});

describe("the recipe math", () => {
  const rows = [
    {
      problem: "Half of one?",
      level: "Level 1",
      type: "Algebra",
      solution: "It is $\\boxed{\\frac{1}{2}}$.",
    },
    { problem: "An unfinished one?", level: "Level 5", type: "Geometry", solution: "It is unclear." },
    {
      problem: "Two steps?",
      level: "Level 2",
      type: "Algebra",
      solution: "$\\boxed{1}$ is wrong; $\\boxed{x^2}$.",
    },
  ];

  it("takes the last box, and leaves rows without one out", async () => {
    const { problems, skipped } = await problemsOf("math", jsonl(rows));
    expect(problems.map(({ answer }) => answer)).toEqual(["\\frac{1}{2}", "x^2"]);
    expect(skipped.map(({ at }) => at)).toEqual([2]);
  });

  it("rewards a right answer in a box or behind words, and takes a tenth off for the longest", async () => {
    const { verifier } = await resolved("math");
    const [problem] = (await problemsOf("math", jsonl(rows))).problems;
    const scorer = await createScorer({ ...verifier, endTokens: ["<|im_end|>"] }, { symbolic: null });
    const completions = [
      "So it is $\\boxed{0.5}$.<|im_end|>",
      "The answer is 1/2.",
      "\\boxed{2}",
      "\\boxed{1/2}",
    ];
    const rollouts = completions.map((_, id) => rolloutOf(problem, id, id === 3 ? verifier.lengthMax : 20));
    const { rollouts: scored } = await scorer.scoreGroup(
      { problem, rollouts, completions },
      { global_step: 0 },
    );
    scorer.dispose();
    expect(scored.map(({ reward }) => reward)).toEqual([1, 1, 0, 0.9]);
  });
});

describe("the recipe mgsm", () => {
  it("takes the number that its data set has beside the empty answer", async () => {
    const rows = [
      { question: "Wie viele?", answer: null, answer_number: 18, equation_solution: null },
      { question: "Und jetzt?", answer: null, answer_number: 3, equation_solution: null },
    ];
    const { problems } = await problemsOf("mgsm", jsonl(rows));
    expect(problems.map(({ answer }) => answer)).toEqual(["18", "3"]);
  });

  it.skipIf(!existsSync(datasets))("reads all 250 German problems", async () => {
    const lines = readFileSync(new URL("mgsm/mgsm_de.tsv", datasets), "utf8").trim().split("\n");
    const rows = lines.map((line) => {
      const [question, number] = line.split("\t");
      return { question, answer: null, answer_number: Number(number.replaceAll(",", "")) };
    });
    const { problems } = await problemsOf("mgsm", jsonl(rows));
    expect(problems).toHaveLength(250);
    const { data, evaluation } = await resolved("mgsm");
    expect(dataTask(problems, 0, data).heldOut(evaluation.problems)).toHaveLength(evaluation.problems);
  });
});
