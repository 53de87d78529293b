/** Whole steps as the default recipe takes them: the trainer's optimiser step and the generator's decoding. */
import { defaultRecipe } from "../config/parse.ts";
import type { Recipe } from "../config/schema.ts";
import type { PromptGroup } from "../generator/api.ts";
import { GeneratorEngine } from "../generator/engine.ts";
import type { Gpu } from "../gpu/device.ts";
import { type KernelTime, Profiler } from "../gpu/profiler.ts";
import { countParameters, type ModelConfig } from "../model/config.ts";
import { freshWeights } from "../model/init.ts";
import { memoryTensors } from "../model/load.ts";
import { freshOptimizer } from "../trainer/api.ts";
import { buildTrainingBatch, type TrainingBatch } from "../trainer/batch.ts";
import { TrainerEngine } from "../trainer/engine.ts";
import { batchObjective } from "../trainer/losses/registry.ts";
import { median, type Stopwatch } from "./stopwatch.ts";
import { type Tally, tally } from "./tally.ts";

export interface StepFigure {
  /** `trainer step` or `generator chunk`. */
  name: string;
  /** What one step did. */
  what: string;
  /** Median seconds. */
  seconds: number;
  /** Trainer: rows pushed through the decoder. Generator: tokens sampled. */
  tokensPerSecond: number;
  /** Floating-point operations of one step in its matrix products; attention is left out. */
  flops: number;
  /** Counted at WebGPU's interface, for one step. */
  counts: Tally;
  /** Steps on the GPU, summed by kernel; empty without timestamps or where the engine keeps its recorder. */
  kernels: KernelTime[];
}

export interface StepSize {
  /** Completions of a training batch, in groups of the recipe's size. */
  sequences: number;
  /** Sequences decoded side by side. */
  concurrency: number;
  promptTokens: number;
  maxTokens: number;
}

/** As many sequences as a processor can take: the default recipe's for a small policy, few for a large one. */
export function stepSize(config: ModelConfig): StepSize {
  const large = countParameters(config) > 4e6;
  const { generator, trainer } = defaultRecipe();
  return {
    sequences: large ? 16 : trainer.batchSize,
    concurrency: large ? 16 : generator.concurrency,
    promptTokens: 10,
    maxTokens: generator.maxTokens,
  };
}

function stepRecipe(size: StepSize): Recipe {
  const recipe = defaultRecipe();
  return {
    ...recipe,
    generator: { ...recipe.generator, maxTokens: size.maxTokens, concurrency: size.concurrency },
    trainer: { ...recipe.trainer, batchSize: size.sequences },
  };
}

/** Token ids by a fixed rule, none of them special to any model. */
function ids(length: number, from: number, vocab: number): Uint32Array {
  return Uint32Array.from({ length }, (_, i) => (from * 7 + i * 5) % vocab);
}

/** A batch of the recipe's size; completions of a third of the longest up to all of it, rewards that differ. */
export function stepBatch(recipe: Recipe, vocab: number, size: StepSize): TrainingBatch {
  const { groupSize } = recipe.trainer;
  const shortest = Math.ceil(size.maxTokens / 3);
  const groups = Array.from({ length: Math.ceil(size.sequences / groupSize) }, (_, groupId) => ({
    groupId,
    problem: { id: `${groupId}`, taskId: "bench", prompt: "", answer: null, columns: {} },
    rollouts: Array.from({ length: groupSize }, (_, i) => {
      const id = groupId * groupSize + i;
      const length = shortest + ((id * 5) % (size.maxTokens - shortest + 1));
      return {
        id,
        groupId,
        problemId: `${groupId}`,
        taskId: "bench",
        promptTokens: ids(size.promptTokens, groupId, vocab),
        completionTokens: ids(length, id + 3, vocab),
        generatorLogprobs: new Float32Array(length).fill(-Math.log(vocab)),
        generatorEntropies: new Float32Array(length),
        policyVersions: new Int32Array(length),
        temperature: recipe.generator.temperature,
        finishReason: "stop" as const,
        completion: "",
        reward: i % 2,
        rewards: {},
        correct: null,
        verdicts: [],
      };
    }),
  }));
  return buildTrainingBatch(groups, batchObjective(recipe));
}

/** Measures optimiser steps on one batch, the policy's weights made anew. @throws GpuLimitError, ShaderError */
export async function measureTrainer(
  stopwatch: Stopwatch,
  config: ModelConfig,
  repeats: number,
  size = stepSize(config),
): Promise<StepFigure> {
  const { gpu } = stopwatch;
  const recipe = stepRecipe(size);
  const maxSequence = size.promptTokens + size.maxTokens;
  using engine = await TrainerEngine.create(gpu, { recipe, config, maxSequence });
  await engine.load({ model: memoryTensors(freshWeights(config, 1)), state: freshOptimizer() });
  const batch = stepBatch(recipe, config.vocabSize, size);
  const first = await engine.step(batch);
  const { seconds, counts } = await repeat(repeats, () => engine.step(batch));
  const kernels = stopwatch.source === "timestamps" ? await profile(gpu, engine, batch) : [];
  const tokens = first.forwardedTokens;
  return {
    name: "trainer step",
    what: `${batch.groups.length} completions, ${tokens} rows, ${first.trainedTokens} trained tokens`,
    seconds,
    tokensPerSecond: tokens / seconds,
    flops: 3 * matrixFlops(config, tokens, first.trainedTokens),
    counts,
    kernels,
  };
}

async function profile(gpu: Gpu, engine: TrainerEngine, batch: TrainingBatch): Promise<KernelTime[]> {
  const profiler = new Profiler(gpu);
  const { recorder } = engine.policy;
  recorder.observer = profiler;
  await engine.step(batch);
  recorder.observer = null;
  const kernels = await profiler.collect(recorder);
  profiler.destroy();
  return kernels;
}

/**
 * Measures decoding: rounds of as many completions as run side by side, each from its prefill to the last token of all.
 * Nothing ends early, so that every round is the same work. @throws GpuLimitError, ShaderError
 */
export async function measureGenerator(
  { gpu }: Stopwatch,
  config: ModelConfig,
  repeats: number,
  size = stepSize(config),
): Promise<StepFigure> {
  const recipe = stepRecipe(size);
  const { decodeChunk, temperature } = recipe.generator;
  using engine = await GeneratorEngine.create(gpu, {
    config,
    concurrency: size.concurrency,
    maxSequence: size.promptTokens + size.maxTokens,
    decodeChunk,
    recomputeCache: false,
    eosIds: [],
  });
  await engine.load(memoryTensors(freshWeights(config, 1)), 0);
  const sampling = { temperature, topK: 0, topP: 1, minP: 0, maxTokens: size.maxTokens, seed: 1 };
  const perGroup = Math.min(recipe.trainer.groupSize, size.concurrency);
  const groups: PromptGroup[] = Array.from(
    { length: Math.floor(size.concurrency / perGroup) },
    (_, groupId) => ({
      groupId,
      problemId: `${groupId}`,
      taskId: "bench",
      promptTokens: ids(size.promptTokens, groupId, config.vocabSize),
      rolloutIds: Uint32Array.from({ length: perGroup }, (_, i) => groupId * perGroup + i),
      sampling,
    }),
  );
  const round = async () => {
    engine.admit(groups);
    let chunks = 0;
    for (; engine.busy; chunks++) await engine.advance();
    return chunks;
  };
  const chunks = await round();
  engine.takeReport();
  const timed = await repeat(repeats, round);
  const report = engine.takeReport();
  const tokens = report.generatedTokens / timed.runs;
  const rows = tokens + report.prefilledTokens / timed.runs;
  return {
    name: "generator chunk",
    what: `${groups.length * perGroup} rows, ${decodeChunk} decode steps; a prefill every ${chunks} chunks`,
    seconds: timed.seconds / chunks,
    tokensPerSecond: tokens / timed.seconds,
    flops: matrixFlops(config, rows, tokens) / chunks,
    counts: scale(timed.counts, 1 / chunks),
    kernels: [],
  };
}

/** Operations of one forward pass: two a weight, the layers' for every row, the head's for every predicted token. */
export function matrixFlops(config: ModelConfig, rows: number, predicted: number): number {
  const table = config.vocabSize * config.width;
  const layers = countParameters(config) - table * (config.tiedHead ? 1 : 2);
  return 2 * (layers * rows + table * predicted);
}

/** No more repeats after this. */
const ENOUGH_SECONDS = 10;

/** Median seconds of up to `count` runs, how many there were, and the mean counts of one. */
async function repeat(
  count: number,
  run: () => Promise<unknown>,
): Promise<{ seconds: number; runs: number; counts: Tally }> {
  const seconds: number[] = [];
  const { counts } = await tally(async () => {
    for (let spent = 0; seconds.length < count && spent < ENOUGH_SECONDS; spent += seconds.at(-1)!) {
      const from = performance.now();
      await run();
      seconds.push((performance.now() - from) / 1000);
    }
  });
  return { seconds: median(seconds), runs: seconds.length, counts: scale(counts, 1 / seconds.length) };
}

function scale(counts: Tally, factor: number): Tally {
  const scaled = { ...counts };
  for (const key of Object.keys(scaled) as (keyof Tally)[]) scaled[key] *= factor;
  return scaled;
}
