import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readModelName } from "../../src/config/model_name.ts";
import type { RecipeSource, ResolveInput } from "../../src/config/resolve.ts";
import { mergeLayers, parseSet, resolveRecipe } from "../../src/config/resolve.ts";
import { taskMixture } from "../../src/config/schema.ts";
import type { ConfigError } from "../../src/errors.ts";
import { makeTask } from "../../src/tasks/registry.ts";
import { BUILT_IN_REWARDS } from "../../src/verifier/rewards/registry.ts";

type Shelf = Record<string, object | string>;

const onShelf = (shelf: Shelf): NonNullable<ResolveInput["load"]> => {
  return async (name) => ({
    content: typeof shelf[name] === "string" ? (shelf[name] as string) : JSON.stringify(shelf[name]),
    where: name,
  });
};

const refusal = (input: ResolveInput) =>
  resolveRecipe(input).then(
    () => expect.fail("the recipe was accepted"),
    (error: ConfigError) => error,
  );

describe("resolveRecipe()", () => {
  it("lets the later layer win: defaults < extends < recipe < --set < flags", async () => {
    const shelf = {
      far: { steps: 2, seed: 2, name: "far", trainer: { learningRate: 0.2, beta1: 0.2 } },
      near: { extends: "far", steps: 3, seed: 3, trainer: { learningRate: 0.3 } },
    };
    const recipe = await resolveRecipe({
      base: { extends: "near", seed: 4, checkpoint: { keep: 4 } },
      load: onShelf(shelf),
      sets: ["checkpoint.keep=5", "evaluation.samples=5", "seed=5"],
      overrides: { seed: 6, steps: undefined },
    });
    expect(recipe).toMatchObject({ name: "far", steps: 3, seed: 6, checkpoint: { keep: 5, every: 10 } });
    expect(recipe.trainer).toMatchObject({ learningRate: 0.3, beta1: 0.2, beta2: 0.99 });
    expect(recipe.evaluation.samples).toBe(5);
    expect(recipe).not.toHaveProperty("extends");
  });

  it("refuses recipes that extend each other", async () => {
    const shelf = { a: { extends: "b" }, b: { extends: "a" } };
    const error = await refusal({ base: { extends: "a" }, load: onShelf(shelf) });
    expect(error.code).toBe("config/extends-cycle");
    expect(error.message).toContain("a → b → a");
  });

  it("names the file of broken JSON", async () => {
    const error = await refusal({ base: { extends: "bad" }, load: onShelf({ bad: "{ steps: 1 }" }) });
    expect(error.code).toBe("config/bad-json");
    expect(error.message).toContain("recipe bad");
    expect(error.message).toContain("line 1, column 3");
    expect((await refusal({ base: "[1]" })).code).toBe("config/bad-json");
    expect((await refusal({ base: { extends: "x" } })).code).toBe("config/extends");
    expect((await refusal({ base: '{"extends": 3}' })).message).toContain("extends");
  });

  it("refuses a setting that is written twice, of which JSON would keep the last without a word", async () => {
    const twice = '{\n  "steps": 1,\n  "trainer": {},\n  "steps": 2\n}';
    const error = await refusal({ base: twice });
    expect(error.code).toBe("config/repeated-key");
    expect(error.message).toContain("line 4: `steps`");
    const parent = await refusal({ base: { extends: "twice" }, load: onShelf({ twice }) });
    expect(parent.message).toContain("recipe twice");
  });

  it("refuses text that is no recipe whatever it says", async () => {
    const deep = "[".repeat(100_000);
    expect((await refusal({ base: deep })).code).toBe("config/too-much");
  });

  it("replaces the source of problems by one of another kind or name", async () => {
    const base = { task: { name: "chain_sum", options: { maxTerms: 4 } } };
    const other = await resolveRecipe({ base, overrides: { data: { file: "rows.jsonl" } } });
    expect(other.task).toBeUndefined();
    expect(other.data?.file).toBe("rows.jsonl");
    const renamed = await resolveRecipe({ base, sets: ["task.name=countdown"] });
    expect(renamed.task).toEqual({ name: "countdown", options: {} });
    const same = await resolveRecipe({ base, sets: ["task.options.minTerms=3"] });
    expect(same.task).toEqual({ name: "chain_sum", options: { maxTerms: 4, minTerms: 3 } });
  });

  it("makes paths absolute from the place that names them", async () => {
    const base: RecipeSource = {
      content: { model: "../models/m", verifier: { rewardModule: "r.ts" }, data: { file: "d.jsonl" } },
      where: "base",
      locate: (path) => `/recipes/${path}`,
    };
    const recipe = await resolveRecipe({
      base,
      overrides: { data: { file: "x.jsonl" } },
      locate: (path) => `/here/${path}`,
    });
    expect(recipe.model).toBe("/recipes/../models/m");
    expect(recipe.verifier.rewardModule).toBe("/recipes/r.ts");
    expect(recipe.data?.file).toBe("/here/x.jsonl");
    const named = await resolveRecipe({ base: { ...base, content: { model: "owner/name" } } });
    expect(named.model).toBe("owner/name");
  });
});

describe("parseSet()", () => {
  it("reads JSON, else text", () => {
    expect(parseSet("trainer.learningRate=1e-3")).toEqual({ trainer: { learningRate: 1e-3 } });
    expect(parseSet("trainer.loss=dapo")).toEqual({ trainer: { loss: "dapo" } });
    expect(parseSet('verifier.rewards=["a","b"]')).toEqual({ verifier: { rewards: ["a", "b"] } });
    expect(parseSet("verifier.languageBonus=true")).toEqual({ verifier: { languageBonus: true } });
    expect(parseSet("task.options.terms=[2,3]")).toEqual({ task: { options: { terms: [2, 3] } } });
    expect(parseSet("name=5=5")).toEqual({ name: "5=5" });
    expect(parseSet("name=42")).toEqual({ name: "42" });
    expect(parseSet('name="42"')).toEqual({ name: "42" });
  });

  it("refuses what is no key=value", () => {
    expect(() => parseSet("seed")).toThrow(/key=value/);
    expect(() => parseSet("=3")).toThrow(/key=value/);
    expect(() => parseSet("trainer..loss=x")).toThrow(/Unknown setting/);
    expect(() => parseSet("__proto__.polluted=1")).toThrow(/Unknown setting/);
  });
});

describe("mergeLayers()", () => {
  it("replaces lists and cannot reach a prototype", () => {
    expect(mergeLayers({ a: [1, 2], b: { c: 1, d: 2 } }, { a: [3], b: { c: 9 } })).toEqual({
      a: [3],
      b: { c: 9, d: 2 },
    });
    mergeLayers({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("readModelName()", () => {
  it.each([
    ["builtin:chain-sum", { kind: "builtin", name: "chain-sum" }],
    ["Qwen/Qwen2.5-0.5B", { kind: "hub", id: "Qwen/Qwen2.5-0.5B", revision: "main" }],
    ["Qwen/Qwen3-0.6B@v1.0", { kind: "hub", id: "Qwen/Qwen3-0.6B", revision: "v1.0" }],
    ["../models/x", { kind: "folder", path: "../models/x" }],
    ["./x", { kind: "folder", path: "./x" }],
    ["/data/x", { kind: "folder", path: "/data/x" }],
    ["runs/a/checkpoints/step-1", { kind: "folder", path: "runs/a/checkpoints/step-1" }],
    ["C:\\models\\x", { kind: "folder", path: "C:\\models\\x" }],
  ])("reads %s", (model, named) => expect(readModelName(model)).toEqual(named));
});

describe("public/recipes", () => {
  const folder = new URL("../../public/recipes/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  const load = async (name: string): Promise<RecipeSource> => ({
    content: readFileSync(new URL(`${name}.json`, folder), "utf8"),
    where: name,
  });

  it("holds the recipes the command line names", () => {
    expect(files).toEqual(
      expect.arrayContaining(["countdown.json", "default.json", "digits.json", "smoke.json", "sync.json"]),
    );
  });

  it.each(files)("%s resolves, is named like its file and says what it is for", async (file) => {
    const name = file.slice(0, -5);
    const recipe = await resolveRecipe({ base: await load(name), load, overrides: { model: "some-folder" } });
    expect(recipe.name).toBe(name);
    expect(recipe.description.length).toBeGreaterThan(30);
  });

  it.each(files)("%s names tasks and rewards that exist, with held-out problems enough", async (file) => {
    const recipe = await resolveRecipe({
      base: await load(file.slice(0, -5)),
      load,
      overrides: { model: "some-folder" },
    });
    for (const { name, options } of taskMixture(recipe)) {
      expect(makeTask(name, options, 0).heldOut(recipe.evaluation.problems)).toHaveLength(
        recipe.evaluation.problems,
      );
    }
    for (const name of recipe.verifier.rewards) expect(Object.keys(BUILT_IN_REWARDS)).toContain(name);
  });

  it("has a sync recipe that differs from the default in nothing but the mode", async () => {
    const plain = await resolveRecipe({ base: await load("default"), load });
    const sync = await resolveRecipe({ base: await load("sync"), load });
    expect(sync.mode).toBe("sync");
    expect({ ...sync.trainer, maxStaleness: 0 }).toEqual({ ...plain.trainer, maxStaleness: 0 });
    expect(sync.generator).toEqual(plain.generator);
  });

  it("has a smoke recipe of ten steps at most", async () => {
    const smoke = await resolveRecipe({ base: await load("smoke"), load });
    expect(smoke.steps).toBeLessThanOrEqual(10);
    expect(smoke.evaluation.problems * smoke.evaluation.samples).toBeLessThanOrEqual(128);
  });
});
