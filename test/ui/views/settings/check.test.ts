import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findField } from "../../../../src/config/describe.ts";
import { resolveRecipe } from "../../../../src/config/resolve.ts";
import { ConfigError } from "../../../../src/errors.ts";
import { checkDraft, problemsOf } from "../../../../src/ui/views/settings/check.ts";
import { estimateLine } from "../../../../src/ui/views/settings/estimate.ts";
import { RECIPE_NAMES } from "../../../../src/ui/views/settings/recipes.ts";
import { setField } from "../../../../src/ui/views/settings/values.ts";
import { createScorer } from "../../../../src/verifier/score.ts";

const folder = new URL("../../../../public/", import.meta.url);
const load = async (name: string) => {
  if (!(RECIPE_NAMES as readonly string[]).includes(name)) {
    throw new ConfigError("config/no-recipe", `Cannot find the recipe \`${name}\``, { hint: "none" });
  }
  return { content: readFileSync(new URL(`recipes/${name}.json`, folder), "utf8"), where: name };
};
const check = (draft: Record<string, unknown>) => checkDraft(draft, load);

describe("checkDraft()", () => {
  it("resolves a draft as the command line does", async () => {
    const draft = { extends: "smoke", trainer: { learningRate: 0.01 } };
    const found = await check(draft);
    expect(found.problems).toEqual([]);
    expect(found.recipe).toEqual(await resolveRecipe({ base: draft, load }));
    expect(found.base).toMatchObject({ name: "smoke", trainer: { batchSize: 64, learningRate: 3e-4 } });
    expect(found.base).not.toHaveProperty("extends");
  });

  it("has what the page does otherwise below the recipes, so that the draft can say the schema's word", async () => {
    expect((await check({ extends: "default" })).recipe?.checkpoint.every).toBe(5);
    expect((await check({})).base).toEqual({ checkpoint: { every: 5 } });
    expect((await check({ extends: "smoke" })).base).toMatchObject({ checkpoint: { every: 3 } });
    const standard = findField("checkpoint.every")?.default;
    const { base } = await check({ extends: "default" });
    expect(setField({ extends: "default" }, base, "checkpoint.every", standard)).toEqual({
      extends: "default",
      checkpoint: { every: standard },
    });
  });

  it("says what to do about a missing model on the page, not in a terminal", async () => {
    const { problems } = await check({ extends: "digits" });
    expect(problems.map(({ code }) => code)).toEqual(["config/missing"]);
    expect(problems[0].hint).toMatch(/builtin:chain-sum.*hub.*drop/);
    expect(problems[0].hint).not.toContain("--model");
  });

  it.each([
    ["{", "config/bad-json"],
    ['{"steps": 1, "steps": 2}', "config/repeated-key"],
    ["[".repeat(100), "config/too-much"],
  ])("tells what is wrong with the text of the recipe that is extended: %s", async (content, code) => {
    const { problems, recipe } = await checkDraft({ extends: "spoilt" }, async (where) => ({
      content,
      where,
    }));
    expect(problems).toMatchObject([{ code, paths: ["extends"] }]);
    expect(problems[0].message).toContain("spoilt");
    expect(recipe).toBeNull();
  });

  it("tells each field's own mistake, in the config's words", async () => {
    const { problems, recipe } = await check({
      extends: "default",
      steps: 0,
      trainer: { learningRte: 1, loss: "dappo" },
      generator: { topP: "wide" },
    });
    expect(recipe).toBeNull();
    expect(
      Object.fromEntries(problems.map(({ paths, message, hint }) => [paths[0], [message, hint]])),
    ).toEqual({
      "trainer.learningRte": [
        "Unknown setting `trainer.learningRte`",
        "did you mean `trainer.learningRate`?",
      ],
      "trainer.loss": [
        expect.stringContaining('Cannot use "dappo" as `trainer.loss`'),
        "did you mean `dapo`?",
      ],
      "generator.topP": [expect.stringContaining("it takes a number from"), expect.any(String)],
      steps: ["Cannot use 0 as `steps`: it takes a whole number from 1 to 1000000", expect.any(String)],
    });
  });

  it("shows a contradiction at every setting that it names", async () => {
    const { problems } = await check({ extends: "default", trainer: { groupSize: 7 } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      code: "config/contradiction",
      paths: ["trainer.batchSize", "trainer.groupSize"],
      hint: "set `trainer.batchSize` to 259",
    });
  });

  it("refuses `digits` for want of a model, and takes it with one", async () => {
    const { problems, base } = await check({ extends: "digits" });
    expect(problems).toMatchObject([{ code: "config/missing", paths: ["model"] }]);
    expect(problems[0].message).toContain("names no `model`");
    expect(base.description).toContain("0.8 M policy");
    expect((await check({ extends: "digits", model: "mine" })).problems).toEqual([]);
  });

  it.each([
    [{ extends: "smok" }, "config/no-recipe", ["extends"]],
    [{ extends: 7 }, "config/wrong-type", ["extends"]],
    [{ task: {} }, "config/missing", ["task.name"]],
    [{ task: { name: "chain_summ" } }, "config/unknown-task", ["task.name"]],
    [{ task: { name: "chain_sum", options: { maxTrms: 3 } } }, "config/unknown-key", ["task.options"]],
    [
      { tasks: [{ name: "sorting" }, { name: "sorting", weight: -1 }] },
      "config/out-of-range",
      ["tasks.1.weight"],
    ],
    [{ tasks: [{ name: "sorting" }, { name: "sortin" }] }, "config/unknown-task", ["tasks.1.name"]],
    [{ trainer: 3 }, "config/wrong-type", ["trainer"]],
    [{ data: { file: "" } }, "config/wrong-type", ["data.file"]],
  ])("refuses %j with %s at %j", async (draft, code, paths) => {
    expect((await check(draft)).problems).toMatchObject([{ code, paths }]);
  });

  it("refuses an unknown reward as the verifiers do", async () => {
    const draft = { verifier: { rewards: ["magistrl"] } };
    const { problems } = await check(draft);
    const refusal = await createScorer({ rewards: ["magistrl"] } as never).catch(
      (error: ConfigError) => error,
    );
    expect(problems[0]).toMatchObject({
      code: (refusal as ConfigError).code,
      message: (refusal as ConfigError).message,
      hint: "did you mean `magistral`?",
    });
    expect((await check({ verifier: { ...draft.verifier, rewardModule: "mine.ts" } })).problems).toEqual([]);
  });

  it("refuses a module of rewards that a page would not run", async () => {
    const problemsAt = async (rewardModule: string) =>
      (await checkDraft({ verifier: { rewardModule } }, load, "https://page.example/webgrpo/")).problems;
    expect(await problemsAt("mine.js")).toEqual([]);
    expect(await problemsAt("https://other.example/m.js")).toMatchObject([
      { code: "config/module-elsewhere", paths: ["verifier.rewardModule"] },
    ]);
  });

  it("comes to an end whatever is wrong", () => {
    const junk = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key${i}`, i]));
    expect(problemsOf(junk).length).toBeGreaterThan(5);
    expect(
      problemsOf({ tasks: [3, null], verifier: { rewards: [1, 2] }, trainer: [] }).length,
    ).toBeGreaterThan(2);
  });
});

describe("RECIPE_NAMES", () => {
  it("names every recipe of the folder", () => {
    const files = readdirSync(new URL("recipes/", folder)).map((file) => file.replace(".json", ""));
    expect([...RECIPE_NAMES].toSorted()).toEqual(files.toSorted());
  });
});

describe("estimateLine()", () => {
  it("names parameters and memory of a recipe", () => {
    const parts = { trainerBytes: 1.5 * 2 ** 30, generatorBytes: 70.2 * 2 ** 20 };
    const line = (assumedPrompt: number | null) =>
      estimateLine({ parameters: 398_976, ...parts, assumedPrompt });
    const known =
      "399 k parameters · about 1.6\u00a0GiB of GPU memory (trainer 1.5\u00a0GiB, generators 70\u00a0MiB";
    expect(line(null)).toBe(`${known})`);
    expect(line(128)).toBe(`${known}; prompts up to 128 tokens assumed)`);
  });
});
