/** What a device holds once a run has used it: beside the plan, for tests and for the table of true shapes. */
import { loraSettings } from "../../src/config/lora.ts";
import type { Recipe } from "../../src/config/schema.ts";
import type { EngineOptions, PromptGroup } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import type { RewardedGroup } from "../../src/rollout.ts";
import { buildTrainingBatch, type TrainingBatch } from "../../src/trainer/batch.ts";
import { TrainerEngine } from "../../src/trainer/engine.ts";
import { batchObjective } from "../../src/trainer/losses/registry.ts";

export interface Measured {
  recipe: Recipe;
  config: ModelConfig;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  /** Tokens of a completion; the recipe's `generator.maxTokens` by default. */
  completion?: number;
  /** Rows that a generator fills; all by default. */
  rows?: number;
}

const PROMPT = 3;

/** A whole batch of completions of equal length: tokens 0, 1, 2 … */
export function fullBatch({ recipe, completion = recipe.generator.maxTokens }: Measured): TrainingBatch {
  const { batchSize, groupSize } = recipe.trainer;
  const groups = Array.from({ length: batchSize / groupSize }, (_, groupId): RewardedGroup => {
    const problem = { id: `${groupId}`, taskId: "t", prompt: "", answer: null, columns: {} };
    const rollouts = Array.from({ length: groupSize }, (_, i) => ({
      id: groupId * groupSize + i,
      groupId,
      problemId: problem.id,
      taskId: "t",
      promptTokens: Uint32Array.from({ length: PROMPT }, (_, t) => t),
      completionTokens: Uint32Array.from({ length: completion }, (_, t) => t % 7),
      generatorLogprobs: new Float32Array(completion).fill(-1),
      generatorEntropies: new Float32Array(completion),
      policyVersions: new Int32Array(completion),
      temperature: 1,
      finishReason: "length" as const,
      completion: "",
      reward: i % 2,
      rewards: {},
      correct: null,
      verdicts: [],
    }));
    return { groupId, problem, rollouts };
  });
  return buildTrainingBatch(groups, batchObjective(recipe));
}

async function onDevice(label: string, use: (gpu: Gpu) => Promise<Disposable>): Promise<number> {
  const gpu = await openGpu({ label, baseOnly: true });
  try {
    using _engine = await use(gpu);
    return gpu.allocatedBytes + gpu.supportBytes;
  } finally {
    gpu.destroy();
  }
}

/** Bytes that a trainer holds after it has published its weights (all zeros) and taken a step. */
export function trainerAllocates(measured: Measured): Promise<number> {
  return onDevice("trainer", async (gpu) => {
    const engine = await TrainerEngine.create(gpu, measured);
    await engine.streamTrained(() => undefined);
    await engine.step(fullBatch(measured));
    if (engine.optimizerStep === 0) throw new Error("no step was taken");
    return engine;
  });
}

/** What a run gives its generators. */
export function generatorOptions({ recipe, config, maxSequence }: Measured): EngineOptions {
  const { concurrency, decodeChunk, recomputeCache, dtype, cacheDtype } = recipe.generator;
  return {
    ...{ config, concurrency, maxSequence, decodeChunk, recomputeCache, eosIds: [] },
    ...{ precision: dtype, cachePrecision: cacheDtype, adapters: loraSettings(recipe.trainer.lora) },
  };
}

/** Bytes that a generator holds after it has filled its rows and decoded a chunk. */
export function generatorAllocates(measured: Measured): Promise<number> {
  const { recipe, maxSequence, rows = recipe.generator.concurrency } = measured;
  return onDevice("generator", async (gpu) => {
    const engine = await GeneratorEngine.create(gpu, generatorOptions(measured));
    const group: PromptGroup = {
      ...{ groupId: 0, problemId: "0", taskId: "t" },
      promptTokens: Uint32Array.from({ length: PROMPT }, (_, t) => t),
      rolloutIds: Uint32Array.from({ length: rows }, (_, i) => i),
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: maxSequence - PROMPT, seed: 0 },
    };
    engine.admit([group]);
    await engine.advance();
    return engine;
  });
}
