/**
 * What a run will hold in memory, before anything is loaded: the constructors of trainer and generators run on a device
 * that only counts, so that plan and run cannot drift apart. Front ends show it; `fit.ts` looks for settings that fit.
 */
import { loraSettings } from "../config/lora.ts";
import type { Recipe } from "../config/schema.ts";
import { DecodePass } from "../generator/decode_pass.ts";
import { type CountedBuffer, countingGpu, GUARANTEED_LIMITS, type MemoryLimits } from "../gpu/counting.ts";
import { stagingBytes } from "../gpu/readback.ts";
import type { ModelConfig } from "../model/config.ts";
import { type Parameters, READ_BYTES } from "../model/parameters.ts";
import { Policy } from "../model/policy.ts";
import { policyOptions, READ_ALONG_BYTES, TrainerEngine } from "../trainer/engine.ts";
import { SUMMARY_WIDTH } from "../trainer/losses/totals.ts";
import { trainedLayout } from "../trainer/trained.ts";
import { shardPayload } from "../weights/api.ts";

export interface MemoryPart {
  what: string;
  bytes: number;
}

export interface MemoryPlan {
  /** Of the GPU, by what it is for. */
  trainer: MemoryPart[];
  /** Of one generator. */
  generator: MemoryPart[];
  generators: number;
  /** Of the processor's memory: what is shared between threads for as long as the run lasts. */
  host: MemoryPart[];
  trainerBytes: number;
  /** Of all generators together. */
  generatorBytes: number;
  /** Of the GPU. */
  totalBytes: number;
}

export interface PlanOptions {
  /** Longest prompt and completion together, in tokens; twice the completion without it. */
  maxSequence?: number;
  /** Of the adapter; what every adapter has to grant without them. */
  limits?: MemoryLimits;
}

/** Of no GPU: for what a run needs whatever one buffer may hold. */
export const UNLIMITED: MemoryLimits = {
  maxBufferSize: Number.POSITIVE_INFINITY,
  maxStorageBufferBindingSize: Number.POSITIVE_INFINITY,
};

/** Slots of the weight board. */
const BOARD_SLOTS = 3;

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^weights \d/, "weights"],
  [/^adapters \d/, "adapters"],
  [/^reference \d/, "reference weights"],
  [/^gradients \d/, "gradients"],
  [/^(first|second) moments \d/, "moments"],
  [/^(keys|values) \d/, "key/value cache"],
  [/^(train|prefill|decode) /, "activations"],
  [/^(head |logits$)/, "logits and output head"],
  [/^read-back$/, "read-back"],
];

const REST = "the rest";

/** What memory is for, in the order in which tables say it. */
export const MEMORY_KINDS: readonly string[] = [...new Set(KINDS.map(([, what]) => what)), REST];

/** Plans the memory of a run. @throws GpuLimitError for a buffer that a GPU of these limits would refuse */
export function planMemory(recipe: Recipe, config: ModelConfig, options: PlanOptions = {}): MemoryPlan {
  const { limits = GUARANTEED_LIMITS, maxSequence = 2 * recipe.generator.maxTokens } = options;
  const trainer = planTrainer(recipe, config, maxSequence, limits);
  const generator = planGenerator(recipe, config, maxSequence, limits);
  const generators = recipe.generator.workers;
  const payload = shardPayload(trainedLayout(recipe, config), recipe.weights.dtype);
  const trainerBytes = sum(trainer);
  const generatorBytes = generators * sum(generator);
  return {
    trainer,
    generator,
    generators,
    host: [{ what: "weight board", bytes: BOARD_SLOTS * payload.byteLength }],
    trainerBytes,
    generatorBytes,
    totalBytes: trainerBytes + generatorBytes,
  };
}

function planTrainer(
  recipe: Recipe,
  config: ModelConfig,
  maxSequence: number,
  limits: MemoryLimits,
): MemoryPart[] {
  const { gpu, buffers } = countingGpu(limits);
  const options = { recipe, config, maxSequence };
  const policy = new Policy(gpu, policyOptions(options));
  new TrainerEngine(policy, options);
  return byKind([
    ...buffers,
    { label: "read-back", size: stagedBytes(trainerReads(recipe, policy.trained)) },
  ]);
}

/** Bytes that a trainer reads at a time, in the order of a run: a published version, then a step's figures. */
function trainerReads({ trainer, generator }: Recipe, { shards }: Parameters): number[] {
  const reads: number[] = [];
  for (const { size } of shards) {
    const last = reads.length - 1;
    if (last >= 0 && reads[last] + size <= READ_BYTES) reads[last] += size;
    else reads.push(size);
  }
  const trained = shards.reduce((total, { size }) => total + size, 0);
  const sequences = trainer.batchSize / trainer.minibatches;
  const figures = 4 * (sequences * (SUMMARY_WIDTH + generator.maxTokens) + 2);
  return [...reads, figures + (trained <= READ_ALONG_BYTES ? trained : 0)];
}

/** Bytes of the staging buffers that such reads leave: each takes one that is large enough, or a new one. */
function stagedBytes(reads: readonly number[]): number {
  const held: number[] = [];
  for (const size of reads) if (!held.some((one) => one >= size)) held.push(stagingBytes(size));
  return held.reduce((total, size) => total + size, 0);
}

function planGenerator(
  { generator, trainer }: Recipe,
  config: ModelConfig,
  maxSequence: number,
  limits: MemoryLimits,
): MemoryPart[] {
  const { gpu, buffers } = countingGpu(limits);
  new DecodePass(gpu, {
    config,
    concurrency: generator.concurrency,
    maxSequence,
    decodeChunk: generator.decodeChunk,
    eosIds: [],
    precision: generator.dtype,
    cachePrecision: generator.cacheDtype,
    adapters: loraSettings(trainer.lora),
  });
  const ring = 16 * generator.concurrency * (generator.decodeChunk + 1);
  return byKind([...buffers, { label: "read-back", size: stagedBytes([ring]) }]);
}

/** Adds up buffers of a kind, in the order of `MEMORY_KINDS`. */
function byKind(buffers: readonly CountedBuffer[]): MemoryPart[] {
  const bytes = new Map<string, number>(MEMORY_KINDS.map((what) => [what, 0]));
  for (const { label, size } of buffers) {
    const what = KINDS.find(([pattern]) => pattern.test(label))?.[1] ?? REST;
    bytes.set(what, (bytes.get(what) ?? 0) + size);
  }
  return [...bytes].filter(([, size]) => size > 0).map(([what, size]) => ({ what, bytes: size }));
}

function sum(parts: readonly MemoryPart[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}
