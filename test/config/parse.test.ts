import { describe, expect, it } from "vitest";
import { describeFields, findField } from "../../src/config/describe.ts";
import { defaultRecipe, parseRecipe } from "../../src/config/parse.ts";
import { taskMixture } from "../../src/config/schema.ts";
import { ConfigError } from "../../src/errors.ts";

function refusal(recipe: unknown): ConfigError {
  try {
    parseRecipe(recipe);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`the recipe ${JSON.stringify(recipe)} was accepted`);
}

describe("parseRecipe()", () => {
  it("fills in defaults and what is derived from other fields", () => {
    const recipe = parseRecipe({
      generator: { maxTokens: 100 },
      verifier: { rewards: ["magistral", "short"] },
    });
    expect(recipe.trainer).toMatchObject({
      loss: "magistral",
      learningRate: 3e-4,
      groupSize: 8,
      maxLength: 100,
    });
    expect(recipe.verifier).toMatchObject({ weights: [1, 1], lengthMax: 100, lengthCache: 20 });
    expect(recipe.evaluation.maxTokens).toBe(100);
    expect(recipe.trainer.truncatedImportance).toEqual({ enabled: false, cap: 2 });
    expect(taskMixture(recipe)).toEqual([{ name: "chain_sum", weight: 1, options: {} }]);
  });

  it("changes nothing when its own result is parsed again", () => {
    const once = parseRecipe({
      generator: { maxTokens: 50 },
      tasks: [{ name: "a" }, { name: "b", weight: 2 }],
    });
    expect(parseRecipe(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  it("never shares a default between recipes", () => {
    const first = defaultRecipe();
    first.verifier.rewards.push("spoilt");
    first.task!.options.spoilt = true;
    expect(defaultRecipe().verifier.rewards).toEqual(["magistral"]);
    expect(defaultRecipe().task?.options).toEqual({});
  });

  it.each([
    [{ trainer: { learningRte: 1 } }, "trainer.learningRte", "trainer.learningRate"],
    [{ sed: 1 }, "sed", "seed"],
    [{ learningRate: 1 }, "learningRate", "trainer.learningRate"],
    [
      { trainer: { truncatedImportance: { cup: 2 } } },
      "trainer.truncatedImportance.cup",
      "truncatedImportance.cap",
    ],
    [{ tasks: [{ name: "a", wieght: 1 }] }, "tasks.0.wieght", "weight"],
    [{ taks: { name: "a" } }, "taks", "task"],
  ])("suggests the setting meant by %j", (recipe, path, meant) => {
    const error = refusal(recipe);
    expect(error.code).toBe("config/unknown-key");
    expect(error.message).toContain(`\`${path}\``);
    expect(error.hint).toContain("did you mean");
    expect(error.hint).toContain(meant);
  });

  it.each([
    [{ trainer: { learningRate: 5 } }, "config/out-of-range", ["trainer.learningRate", "5", "from 0 to 1"]],
    [{ steps: 0 }, "config/out-of-range", ["steps", "0", "from 1 to 1000000"]],
    [{ steps: 1.5 }, "config/wrong-type", ["steps", "1.5", "whole number"]],
    [{ generator: { temperature: Number.NaN } }, "config/wrong-type", ["generator.temperature", "NaN"]],
    [{ generator: { temperature: Number.POSITIVE_INFINITY } }, "config/wrong-type", ["Infinity"]],
    [{ generator: { topP: -0.1 } }, "config/out-of-range", ["generator.topP", "-0.1"]],
    [{ tasks: [{ name: "a", weight: 0 }] }, "config/out-of-range", ["tasks.0.weight"]],
    [{ verifier: { weights: [1e9] } }, "config/out-of-range", ["verifier.weights", "-1000 to 1000"]],
    [{ trainer: { loss: "dappo" } }, "config/wrong-type", ["trainer.loss", '"dappo"', "one of magistral"]],
    [{ trainer: "fast" }, "config/wrong-type", ["trainer", '"fast"', "an object"]],
    [{ seed: null }, "config/wrong-type", ["seed", "null"]],
    [{ task: {} }, "config/missing", ["task.name"]],
    ["{}", "config/wrong-type", ["a recipe"]],
    [{ model: "" }, "config/missing", ["model"]],
  ])("refuses %j, naming path, value and bounds", (recipe, code, words) => {
    const error = refusal(recipe);
    expect(error.code).toBe(code);
    for (const word of words) expect(error.message).toContain(word);
    expect(error.hint).toBeTruthy();
  });

  it.each([
    [{ trainer: { batchSize: 100, groupSize: 8 } }, "set `trainer.batchSize` to 104"],
    [{ trainer: { batchSize: 64, groupSize: 8, minibatches: 3 } }, "set `trainer.minibatches` to 2"],
    [{ trainer: { warmupSteps: 9 }, steps: 5 }, "5 or less"],
    [{ trainer: { klBeta: 0.04 } }, "`trainer.klBeta` to 0"],
    [{ trainer: { truncatedImportance: { enabled: true } } }, "recompute"],
    [{ generator: { topP: 0.9 } }, "topP 1"],
    [{ verifier: { rewards: [] } }, "magistral"],
    [{ verifier: { rewards: ["a", "a"] } }, "once"],
    [{ verifier: { rewards: ["a"], weights: [1, 2] } }, "as many weights as rewards"],
    [{ verifier: { lengthMax: 10, lengthCache: 11 } }, "10 or less"],
    [{ task: { name: "a" }, data: { file: "b" } }, "keep one"],
    [{ tasks: [] }, "at least one task"],
  ])("refuses the contradiction %j and names the fix", (recipe, fix) => {
    const error = refusal(recipe);
    expect(error.code).toBe("config/contradiction");
    expect(error.hint).toContain(fix);
  });

  it("accepts what each fix names", () => {
    parseRecipe({ trainer: { batchSize: 104, groupSize: 8 } });
    parseRecipe({ trainer: { batchSize: 64, groupSize: 8, minibatches: 2 } });
    parseRecipe({ trainer: { loss: "grpo", klBeta: 0.04 } });
    parseRecipe({
      generator: { topP: 0.9 },
      trainer: { oldLogprobs: "recompute", truncatedImportance: { enabled: true } },
    });
  });
});

describe("describeFields()", () => {
  it("describes every field, with bounds on every number and a default inside them", () => {
    expect(describeFields().length).toBeGreaterThan(60);
    for (const field of describeFields()) {
      expect(field.description, field.path).not.toBe("");
      if (field.kind !== "number" && field.kind !== "integer") continue;
      expect(field.min, field.path).toBeLessThan(field.max!);
      if (field.default === undefined) expect(field.derived, field.path).toBeTruthy();
      else expect(field.default, field.path).toSatisfy((x: number) => x >= field.min! && x <= field.max!);
    }
  });

  it("finds fields inside lists by position", () => {
    expect(findField("tasks.3.weight")?.path).toBe("tasks[].weight");
    expect(findField("trainer.loss")?.choices).toContain("dapo");
    expect(findField("trainer.lost")).toBeUndefined();
  });
});
