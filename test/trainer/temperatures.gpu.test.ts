/** One batch whose completions were sampled at two temperatures, as it comes when the temperature is turned. */
import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import type { Recipe } from "../../src/config/schema.ts";
import type { PromptGroup } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { layoutParameters, packTensors } from "../../src/model/layout.ts";
import { memoryTensors } from "../../src/model/load.ts";
import type { RewardedGroup, Rollout } from "../../src/rollout.ts";
import { freshOptimizer } from "../../src/trainer/api.ts";
import { buildTrainingBatch, type TrainingBatch } from "../../src/trainer/batch.ts";
import { TrainerEngine } from "../../src/trainer/engine.ts";
import { batchObjective } from "../../src/trainer/losses/registry.ts";
import { largest, testGpu } from "../gpu_harness.ts";

const config = smallLlamaConfig({
  vocabSize: 61,
  width: 48,
  layers: 2,
  heads: 6,
  kvHeads: 2,
  mlpWidth: 100,
  maxPositions: 64,
  eosId: 1,
  padId: 0,
});
// Large enough for a temperature to matter.
const tensors = new Map(
  [...freshWeights(config, 8)].map(([name, tensor]) => [
    name,
    name.includes("embed") ? { ...tensor, data: tensor.data.map((x) => 2 * x) } : tensor,
  ]),
);
const weights = packTensors(layoutParameters(config), tensors);
const TEMPERATURES = [0.6, 1.7];
const LONGEST = 32;

function recipeOf(trainer: Record<string, unknown> = {}): Recipe {
  return parseRecipe({
    model: "builtin:none",
    task: { name: "chain_sum" },
    generator: { maxTokens: 20, temperature: 1 },
    trainer: { batchSize: 16, groupSize: 4, microBatchTokens: 160, ...trainer },
  });
}

async function openEngine(recipe: Recipe): Promise<TrainerEngine> {
  const engine = await TrainerEngine.create(await testGpu(), { recipe, config, maxSequence: LONGEST });
  await engine.load({ model: memoryTensors(tensors), state: freshOptimizer() });
  return engine;
}

/** Four groups of four, the temperature changing from one to the next. */
async function sampledGroups(): Promise<RewardedGroup[]> {
  using engine = await GeneratorEngine.create(await testGpu(), {
    config,
    concurrency: 16,
    maxSequence: LONGEST,
    decodeChunk: 4,
    recomputeCache: false,
    eosIds: [1],
  });
  engine.setWeights(weights, 0);
  const asked = Array.from(
    { length: 4 },
    (_, groupId): PromptGroup => ({
      groupId,
      problemId: `${groupId}`,
      taskId: "t",
      promptTokens: Uint32Array.from({ length: 3 + groupId }, (_, i) => 2 + ((groupId * 7 + i * 5) % 50)),
      rolloutIds: Uint32Array.from({ length: 4 }, (_, i) => groupId * 4 + i),
      sampling: { temperature: TEMPERATURES[groupId % 2], topK: 0, topP: 1, minP: 0, maxTokens: 20, seed: 3 },
    }),
  );
  engine.admit(asked);
  const done: Rollout[] = [];
  while (engine.busy) done.push(...(await engine.advance()));
  return asked.map(({ groupId }) => ({
    groupId,
    problem: { id: `${groupId}`, taskId: "t", prompt: "", answer: null, columns: {} },
    rollouts: done
      .filter((rollout) => rollout.groupId === groupId)
      .sort((a, b) => a.id - b.id)
      .map((rollout, i) => ({
        ...rollout,
        completion: "",
        reward: i % 3,
        rewards: {},
        correct: null,
        verdicts: [],
      })),
  }));
}

async function gradientOf(batch: TrainingBatch): Promise<Float32Array> {
  using engine = await openEngine(recipeOf());
  engine.accumulate(batch, batch.generatorLogprobs);
  const shards = await engine.policy.gradients.read(engine.policy.gpu);
  return Float32Array.from(shards.flatMap((shard) => [...shard]));
}

/** The batch as if all of it had been sampled at one temperature, and only what truly was has weight. */
const partAt = (batch: TrainingBatch, temperature: number): TrainingBatch => ({
  ...batch,
  temperatures: batch.temperatures.map(() => temperature),
  tokenWeights: batch.tokenWeights.map((weight, i) => (batch.temperatures[i] === temperature ? weight : 0)),
});

describe("a batch of two temperatures", () => {
  it("has the sum of the gradients of two batches", async () => {
    const groups = await sampledGroups();
    const batch = buildTrainingBatch(groups, batchObjective(recipeOf()));
    expect([...batch.temperatures.slice(3, 5)]).toEqual(TEMPERATURES);
    // Neither certain nor uniform, or temperature would change nothing.
    const entropies = groups.map(({ rollouts }) => rollouts[0].generatorEntropies[0]);
    expect(Math.min(...entropies)).toBeGreaterThan(0.3);
    expect(Math.max(...entropies)).toBeLessThan(4);
    const mixed = await gradientOf(batch);
    const parts = [
      await gradientOf(partAt(batch, TEMPERATURES[0])),
      await gradientOf(partAt(batch, TEMPERATURES[1])),
    ];
    const scale = largest(mixed);
    const sum = mixed.map((_, k) => parts[0][k] + parts[1][k]);
    expect(largest(mixed.map((value, k) => value - sum[k])) / scale).toBeLessThan(1e-5);
    // Each part matters, and at one temperature for all it would be another gradient.
    for (const part of parts) expect(largest(part) / scale).toBeGreaterThan(0.05);
    const plain = await gradientOf({ ...batch, temperatures: batch.temperatures.map(() => 1) });
    expect(largest(plain.map((value, k) => value - sum[k])) / scale).toBeGreaterThan(0.05);
  });

  it.each(["rollout", "recompute"])(
    "has ratio 1 at lag 0 throughout (old log-probabilities: %s)",
    async (oldLogprobs) => {
      const groups = await sampledGroups();
      const recipe = recipeOf({ oldLogprobs });
      const batch = buildTrainingBatch(groups, batchObjective(recipe));
      using engine = await openEngine(recipe);
      const { trainerLogprobs, metrics } = await engine.step(batch);
      expect(trainerLogprobs).toHaveLength(batch.generatorLogprobs.length);
      expect(largest(trainerLogprobs.map((logprob, m) => logprob - batch.generatorLogprobs[m]))).toBeLessThan(
        2e-5,
      );
      expect(metrics["trainer/mismatch_kl"]).toBeLessThan(1e-9);
      expect(metrics["batch/microbatches_per_step"]).toBeGreaterThan(2);
    },
  );
});
