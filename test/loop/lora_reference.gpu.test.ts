/** The KL term in the loop: what it is measured against, and what other number formats do to the mismatch. */
import { afterAll, describe, expect, it } from "vitest";
import type { Recipe } from "../../src/config/schema.ts";
import { ADAPTER_MODULES } from "../../src/model/adapters/config.ts";
import { freshAdapters } from "../../src/model/adapters/init.ts";
import { loadParameters, memoryTensors } from "../../src/model/load.ts";
import { Policy } from "../../src/model/policy.ts";
import { buildTrainingBatch, gatherMicroBatch } from "../../src/trainer/batch.ts";
import { batchObjective } from "../../src/trainer/losses/registry.ts";
import { normals, testGpu } from "../gpu_harness.ts";
import { hasModel, type Looped, loop, removeFolders, tinyModel, tinyRecipe, train } from "./tiny.ts";

const small = { groupSize: 2, batchSize: 8, filter: "none" };
const recipeOf = (trainer: Record<string, unknown>, generator: Record<string, unknown> = {}) =>
  tinyRecipe({ mode: "sync", steps: 2, trainer: { ...small, ...trainer }, generator });

/** A copy of the model that nobody trains, on a device of its own. */
async function frozenCopy(): Promise<Policy> {
  const { config, tensors } = await tinyModel();
  const frozen = await Policy.create(await testGpu(), { config, capacity: 64, maxPositions: 64 });
  await loadParameters(frozen.gpu, frozen.weights, memoryTensors(tensors));
  return frozen;
}

/** (M) log-probabilities of a step's completions, in the batch's order, one sequence at a time. */
async function logprobsOf(policy: Policy, recipe: Recipe, { groups }: Looped["steps"][number]) {
  const batch = buildTrainingBatch(groups, batchObjective(recipe));
  const logprobs: number[] = [];
  for (let i = 0; i < batch.groups.length; i++) {
    const micro = gatherMicroBatch(batch, [i]);
    policy.load(micro);
    policy.forward(micro.temperature);
    policy.recorder.submit();
    logprobs.push(...(await policy.head.logprobs.readFloats(0, micro.targets.length)));
  }
  return logprobs;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

afterAll(removeFolders);

const ADAPTERS = recipeOf({ loss: "grpo", lora: { rank: 8 }, learningRate: 1e-2 });
const EVERY_PARAMETER = recipeOf({ loss: "grpo" });
/** Runs that nobody cut, by their recipe. */
const whole = new Map<Recipe, Promise<Looped>>();
const runOf = (recipe: Recipe) => {
  const run = whole.get(recipe) ?? loop(recipe);
  whole.set(recipe, run);
  return run;
};

// Broken on purpose once: the reference with its adapters on; a reference that shares the trained weights. Each fails.
describe.skipIf(!hasModel)("the KL term", () => {
  it.each([
    ["adapters, which are left out for it", ADAPTERS],
    ["adapters, in dapo", recipeOf({ loss: "dapo", klBeta: 0.1, lora: { rank: 4 }, learningRate: 1e-2 })],
    ["every parameter, beside a copy", EVERY_PARAMETER],
  ])("is against the model that training began with: %s", async (_what, recipe) => {
    const { steps } = await runOf(recipe);
    using frozen = await frozenCopy();
    expect(steps).toHaveLength(2);
    for (const [k, step] of steps.entries()) {
      const { trainerLogprobs, metrics } = step.trained;
      const reference = await logprobsOf(frozen, recipe, step);
      const gaps = reference.map((value, i) => value - trainerLogprobs[i]);
      const kl = mean(gaps.map((gap) => Math.exp(gap) - gap - 1));
      // Before the first update both are one model, to the bit.
      if (k === 0) expect(metrics.kl).toBe(0);
      else expect(kl).toBeGreaterThan(1e-4);
      // Of each token's k3, f32 keeps what is above its rounding beside 1: 1.2e-7, at most a few of them.
      expect(Math.abs(metrics.kl - kl), `step ${k + 1}: ${metrics.kl} for ${kl}`).toBeLessThan(1e-6);
    }
  });
});

describe.skipIf(!hasModel)("the KL term of a run that is gone on with", () => {
  it.each([
    ["adapters", ADAPTERS],
    ["every parameter", EVERY_PARAMETER],
  ])("is still against the model that training began with: %s", async (_what, recipe) => {
    const { steps } = await runOf(recipe);
    const stop = new AbortController();
    const part = await train(recipe, {
      signal: stop.signal,
      onEvent: ({ kind }) => {
        if (kind === "stepped") stop.abort();
      },
    });
    expect(part.summary).toMatchObject({ steps: 1, interrupted: true });
    const rest = await train(recipe, { resume: part.folder });
    expect(rest.metrics.map((row) => row.kl)).toEqual(steps.map(({ trained }) => trained.metrics.kl));
    expect(rest.metrics[1].kl).toBeGreaterThan(1e-4);
  });
});

/** The built-in policy, whose weights f16 holds exactly, changed by adapters that are merged as workers load it. */
async function unroundedModel() {
  const model = await tinyModel();
  const settings = { rank: 2, alpha: 2, targets: ADAPTER_MODULES };
  const tensors = freshAdapters(model.config, settings, 1);
  [...tensors.values()].forEach(({ data }, i) => {
    data.set(normals(data.length, i, 0.02));
  });
  return { ...model, adapters: [{ settings, tensors, baseModel: null, revision: null }] };
}

describe.skipIf(!hasModel)("adapters beside a model in f16", () => {
  const mismatch = async (frozenDtype: string, dtype: string, cacheDtype = "f32") => {
    const recipe = recipeOf({ lora: { rank: 8 }, frozenDtype, learningRate: 1e-2 }, { dtype, cacheDtype });
    const { steps } = await loop(recipe, { model: await unroundedModel() });
    return steps.map(({ trained }) => trained.metrics["trainer/mismatch_kl"]);
  };

  it("train on the generator's own policy where both round it, and log the mismatch where one does", async () => {
    const both = await mismatch("f16", "f16");
    expect(Math.max(...both)).toBeLessThan(1e-9);
    const mixed = [
      await mismatch("f32", "f16"),
      await mismatch("f16", "f32"),
      await mismatch("f16", "f16", "f16"),
    ];
    for (const seen of mixed) {
      // Rounded values are off by some 2⁻¹³ of themselves, log-probabilities by some 1e-4: half of its square is the KL.
      expect(Math.max(...seen)).toBeLessThan(1e-7);
      expect(Math.min(...seen)).toBeGreaterThan(100 * Math.max(...both));
    }
  });
});
