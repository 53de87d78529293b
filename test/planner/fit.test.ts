import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import type { Recipe } from "../../src/config/schema.ts";
import { type ModelConfig, parseModelConfig } from "../../src/model/config.ts";
import { type Fit, type FitOptions, fitRecipe } from "../../src/planner/fit.ts";
import { type MemoryPlan, planMemory } from "../../src/planner/plan.ts";
import { memoryShares } from "../../src/planner/share.ts";

const llama = (more: Record<string, unknown> = {}): ModelConfig =>
  parseModelConfig({
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: 4000,
    hidden_size: 128,
    intermediate_size: 384,
    num_hidden_layers: 8,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    hidden_act: "silu",
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    ...more,
  });

type Settings = Record<string, unknown>;
const recipeOf = ({ trainer = {}, generator = {}, gpu = {} }: Record<string, Settings> = {}): Recipe =>
  parseRecipe({
    name: "fit",
    model: "builtin:chain-sum",
    generator: { concurrency: 64, maxTokens: 64, workers: 2, ...generator },
    trainer: { groupSize: 8, batchSize: 64, microBatchTokens: 4096, ...trainer },
    gpu,
  });

/** A copy of a recipe with one setting changed, checked as one that a user wrote. */
function changed(recipe: Recipe, changes: Fit["changes"]): Recipe {
  const copy = structuredClone(recipe) as unknown as Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const names = path.split(".");
    const last = names.pop() as string;
    const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, copy);
    parent[last] = value;
  }
  return parseRecipe(copy);
}

const config = llama();
const bytesOf = (recipe: Recipe, options: FitOptions = {}, model = config) =>
  planMemory(recipe, model, options).totalBytes;

/** The settings in the order in which they are tried, from a run that leaves all of them open. */
const ladder: [path: string, values: Fit["changes"][string][]][] = [
  ["trainer.microBatchTokens", [2048, 1024, 512, 256]],
  ["trainer.recompute", [true]],
  ["generator.concurrency", [32, 16, 8]],
  ["generator.workers", [1]],
  ["generator.cacheDtype", ["f16"]],
  ["generator.dtype", ["f16"]],
  ["trainer.lora.rank", [16]],
  ["trainer.frozenDtype", ["f16"]],
];

describe("fitRecipe()", () => {
  const steps = ladder.flatMap(([path, values], i) =>
    values.map((value, k): [string, Fit["changes"][string], Fit["changes"]] => {
      const before = ladder.slice(0, i).map(([other, all]) => [other, all[all.length - 1]]);
      return [path, value, Object.fromEntries(k > 0 ? [...before, [path, values[k - 1]]] : before)];
    }),
  );

  it.each(steps)("takes %s = %s where all milder settings are taken already", (path, value, before) => {
    const recipe = changed(recipeOf(), before);
    const wanted = changed(recipe, { [path]: value });
    const budgetBytes = bytesOf(wanted);
    expect(bytesOf(recipe), "it matters").toBeGreaterThan(budgetBytes);
    const fit = fitRecipe(recipe, config, { budgetBytes });
    expect(fit?.changes).toEqual({ [path]: value });
    expect(fit?.recipe).toEqual(wanted);
    expect(fit?.plan.totalBytes).toBe(budgetBytes);
    expect(fitRecipe(wanted, config, { budgetBytes })?.changes, "then nothing more").toEqual({});
  });

  it("is null one byte below what all settings together need", () => {
    const all = Object.fromEntries(ladder.map(([path, values]) => [path, values[values.length - 1]]));
    const least = bytesOf(changed(recipeOf(), all));
    expect(fitRecipe(recipeOf(), config, { budgetBytes: least })?.changes).toEqual(all);
    expect(fitRecipe(recipeOf(), config, { budgetBytes: least - 1 })).toBeNull();
  });

  it("keeps the harshest that it takes and gives back all milder ones that are not needed beside it", () => {
    const wide = llama({ vocab_size: 60_000 });
    const recipe = recipeOf({
      trainer: { microBatchTokens: 512 },
      generator: { concurrency: 16, workers: 1 },
    });
    const adapted = changed(recipe, { "trainer.lora.rank": 16 });
    const budgetBytes = bytesOf(adapted, {}, wide);
    const milder = ladder.slice(0, 6).map(([path, values]) => [path, values[values.length - 1]]);
    expect(bytesOf(changed(recipe, Object.fromEntries(milder)), {}, wide)).toBeGreaterThan(budgetBytes);
    const fit = fitRecipe(recipe, wide, { budgetBytes });
    expect(fit?.changes).toEqual({ "trainer.lora.rank": 16 });
    expect(fit?.recipe).toEqual(adapted);
  });

  it("gives back a part of a setting where the rest of it is enough", () => {
    const options = { maxSequence: 1024 };
    const recipe = recipeOf({ generator: { concurrency: 8, workers: 1 } });
    const wanted = { "trainer.microBatchTokens": 2048, "trainer.recompute": true };
    const budgetBytes = bytesOf(changed(recipe, wanted), options);
    const smallest = changed(recipe, { "trainer.microBatchTokens": 1024 });
    expect(bytesOf(smallest, options), "small batches alone do not do").toBeGreaterThan(budgetBytes);
    expect(fitRecipe(recipe, config, { ...options, budgetBytes })?.changes).toEqual(wanted);
  });

  it("halves micro-batches no further than the longest sequence, and rows no further than a group", () => {
    const options = { maxSequence: 1500, budgetBytes: 1 };
    expect(fitRecipe(recipeOf(), config, options)).toBeNull();
    const least = changed(recipeOf(), { "trainer.microBatchTokens": 2048, "generator.concurrency": 8 });
    const all = changed(
      least,
      Object.fromEntries(
        ladder.filter(([path]) => !/micro|concurr/.test(path)).map(([path, [value]]) => [path, value]),
      ),
    );
    const fit = fitRecipe(recipeOf(), config, {
      maxSequence: 1500,
      budgetBytes: bytesOf(all, { maxSequence: 1500 }),
    });
    expect(fit?.recipe).toEqual(all);
  });

  it("offers no f16 to a model whose rows the kernels cannot read in it", () => {
    const taken = ladder.slice(0, 5).map(([path, values]) => [path, values[values.length - 1]]);
    const recipe = changed(recipeOf(), { ...Object.fromEntries(taken), "trainer.lora.rank": 16 });
    const halves = { "generator.dtype": "f16", "trainer.frozenDtype": "f16" };
    const even = llama({ vocab_size: 4004 });
    const budgetBytes = bytesOf(changed(recipe, halves), {}, even);
    expect(fitRecipe(recipe, even, { budgetBytes })?.changes).toEqual(halves);
    expect(fitRecipe(recipe, llama({ vocab_size: 4001 }), { budgetBytes })).toBeNull();
  });

  it("shrinks what exceeds a single buffer, without any budget", () => {
    const most = 4 * 2048 * 2 * 384;
    const limits = { maxBufferSize: most, maxStorageBufferBindingSize: most };
    const small = llama({ vocab_size: 400, num_hidden_layers: 1 });
    expect(() => planMemory(recipeOf(), small, { limits })).toThrow(/one binding/);
    expect(fitRecipe(recipeOf(), small, { limits })?.changes).toEqual({ "trainer.microBatchTokens": 2048 });
  });

  it("is null where parameters exceed a single buffer whatever is set", () => {
    const limits = { maxBufferSize: 2 ** 20, maxStorageBufferBindingSize: 2 ** 20 };
    expect(fitRecipe(recipeOf(), llama({ vocab_size: 60_000 }), { limits })).toBeNull();
  });
});

describe("memoryShares()", () => {
  const plan: MemoryPlan = planMemory(recipeOf(), config, { maxSequence: 100 });

  it("sets no limit where the recipe has none", () => {
    expect(memoryShares(recipeOf(), config, 100)).toEqual({});
  });

  it("divides the budget among all devices, at least what each is planned to need where that fits", () => {
    const budget = Math.ceil(plan.totalBytes / 2 ** 20) + 10;
    const { trainer = 0, generator = 0 } = memoryShares(
      recipeOf({ gpu: { maxMemoryMiB: budget } }),
      config,
      100,
    );
    expect(trainer + 2 * generator).toBeCloseTo(budget * 2 ** 20, 0);
    expect(trainer).toBeGreaterThan(plan.trainerBytes);
    expect(generator).toBeGreaterThan(plan.generatorBytes / 2);
  });

  it("gives every device less than it needs where the run does not fit", () => {
    const { trainer = 0, generator = 0 } = memoryShares(recipeOf({ gpu: { maxMemoryMiB: 16 } }), config, 100);
    expect(trainer).toBeLessThan(plan.trainerBytes);
    expect(generator).toBeLessThan(plan.generatorBytes / 2);
  });
});
