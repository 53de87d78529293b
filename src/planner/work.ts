/**
 * What a run will have a GPU do, before anything is loaded: the run's own engines record a decode step, a prefill, a
 * micro-batch and an optimiser step on a device that only notes them. `pace.ts` puts seconds to it.
 */
import { FAMILY_TESTS, type SelfTestRun, testHalves } from "../bench/self_test.ts";
import { loraSettings } from "../config/lora.ts";
import type { Recipe } from "../config/schema.ts";
import { DecodePass, type DecodeRow } from "../generator/decode_pass.ts";
import type { MemoryLimits } from "../gpu/counting.ts";
import type { Gpu } from "../gpu/device.ts";
import { type RecordedDispatch, RecordingGpu } from "../gpu/recording.ts";
import type { ModelConfig } from "../model/config.ts";
import type { TrainingBatch } from "../trainer/batch.ts";
import { TrainerEngine } from "../trainer/engine.ts";
import { batchObjective } from "../trainer/losses/registry.ts";

/** Equal dispatches of a phase. */
export interface Job extends RecordedDispatch {
  /** Kernel and sizes. */
  key: string;
  count: number;
  /** Floating-point operations and bytes of one. */
  flops: number;
  bytes: number;
}

/** A stretch of work that comes as a whole. */
export interface Phase {
  name: "decode step" | "prefill" | "micro-batch" | "optimiser step";
  jobs: Job[];
  /** How often. */
  times: number;
  /** Waits for the GPU's answer, each time. */
  returns: number;
}

export interface RunWork {
  /** Of one batch, from its prompts to the new weights; generation and training do not overlap on one GPU. */
  batch: Phase[];
  /** Of one evaluation. */
  evaluation: Phase[];
  /** Before all of it: pipelines to compile on all devices, and answers that the self-test waits for. */
  start: { pipelines: number; returns: number };
}

export interface WorkOptions {
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  limits: MemoryLimits;
  /** The device that the run will have: how it is cut into dispatches depends on it. */
  like: Pick<Gpu, "halfForm" | "maxFlopsPerSubmit">;
}

/** Share of the longest completion that an average one has: about half in the first steps of the recipes at hand. */
const COMPLETION_SHARE = 0.5;

/** Records the work of a run. @throws GpuLimitError for a buffer that a GPU of these limits would refuse */
export async function planWork(recipe: Recipe, config: ModelConfig, options: WorkOptions): Promise<RunWork> {
  const { generator, trainer, evaluation } = recipe;
  const prompt = options.maxSequence - Math.max(generator.maxTokens, evaluation.maxTokens);
  const training = await trainerPhases(recipe, config, { ...options, prompt });
  const asked = {
    training: { completions: trainer.batchSize, group: trainer.groupSize, maxTokens: generator.maxTokens },
    evaluation: {
      completions: evaluation.problems * evaluation.samples,
      group: evaluation.samples,
      maxTokens: evaluation.maxTokens,
    },
  };
  const generated = await generatorPhases(recipe, config, { ...options, prompt, ...asked });
  const tested = recipe.gpu.selfTest ? await selfTestKernels() : [];
  return {
    batch: [...generated.training, ...training.phases],
    evaluation: generated.evaluation,
    start: {
      pipelines:
        new Set([...tested, ...training.kernels]).size + generator.workers * generated.kernels.length,
      returns: tested.length,
    },
  };
}

/** Keys of the kernels that the trainer's self-test runs, one by one. */
async function selfTestKernels(): Promise<string[]> {
  const keys: string[] = [];
  const run: SelfTestRun = async (kernel, bindings, _, output) => {
    keys.push(kernel.key);
    return new Float32Array(bindings[output].length);
  };
  for (const test of Object.values(FAMILY_TESTS)) if (test !== testHalves) await test(run, "packed");
  return keys;
}

interface SizedOptions extends WorkOptions {
  /** Tokens of a prompt. */
  prompt: number;
}

/** Tokens of an average completion. */
const meanTokens = (maxTokens: number) => Math.max(1, Math.round(COMPLETION_SHARE * maxTokens));

async function trainerPhases(recipe: Recipe, config: ModelConfig, { prompt, ...options }: SizedOptions) {
  const { trainer, generator } = recipe;
  const gpu = new RecordingGpu(options.limits, options.like);
  using engine = await TrainerEngine.create(gpu, { recipe, config, maxSequence: options.maxSequence });
  gpu.maxFlopsPerSubmit = options.like.maxFlopsPerSubmit;
  gpu.dispatches.length = 0;
  const sizes = { prompt, completion: meanTokens(generator.maxTokens) };
  const fitting = Math.floor(engine.policy.workspace.capacity / (sizes.prompt + sizes.completion));
  const perMinibatch = trainer.batchSize / trainer.minibatches;
  const sequences = Math.max(1, Math.min(perMinibatch, fitting));
  const batch = evenBatch(recipe, { ...sizes, sequences });
  engine.accumulate(batch, batch.generatorLogprobs);
  const micro = gpu.dispatches.splice(0);
  engine.policy.update({ learningRate: 0, beta1: 0, beta2: 0, eps: 1, weightDecay: 0, maxGradNorm: 1 }, 1);
  engine.policy.recorder.submit();
  const update = gpu.dispatches.splice(0);
  const recomputes = trainer.oldLogprobs === "recompute";
  if (recomputes) {
    engine.policy.forward(1);
    engine.policy.recorder.submit();
    micro.push(...gpu.dispatches.splice(0));
  }
  const phases: Phase[] = [
    {
      name: "micro-batch",
      jobs: jobsOf(micro),
      times: trainer.minibatches * (perMinibatch / sequences),
      returns: recomputes ? 1 : 0,
    },
    { name: "optimiser step", jobs: jobsOf(update), times: trainer.minibatches, returns: 1 },
  ];
  return { phases, kernels: gpu.compiled.map(({ key }) => key) };
}

/** Sequences of equal length, one after another. */
function evenBatch(
  recipe: Recipe,
  { sequences, prompt, completion }: { sequences: number; prompt: number; completion: number },
): TrainingBatch {
  const every = (step: number) => Uint32Array.from({ length: sequences + 1 }, (_, i) => i * step);
  return {
    objective: { ...batchObjective(recipe) },
    tokens: new Uint32Array(sequences * (prompt + completion)),
    offsets: every(prompt + completion),
    promptLengths: new Uint32Array(sequences).fill(prompt),
    completionOffsets: every(completion),
    generatorLogprobs: new Float32Array(sequences * completion),
    policyVersions: new Int32Array(sequences * completion),
    temperatures: new Float64Array(sequences).fill(1),
    rolloutIds: new Float64Array(sequences),
    groups: new Uint32Array(sequences),
    rewards: new Float64Array(sequences),
    advantages: new Float32Array(sequences),
    tokenWeights: new Float32Array(sequences),
  };
}

/** Completions that are asked for together. */
interface Asked {
  completions: number;
  /** Completions of one prompt. */
  group: number;
  maxTokens: number;
}

/** Decode steps of one generator, and the rows that decode in them on average, for its share of the completions. */
export function decoding(
  { completions, maxTokens }: Pick<Asked, "completions" | "maxTokens">,
  slots: number,
  chunk: number,
): { steps: number; rows: number } {
  // A row that ends within a chunk is computed to the chunk's end.
  const tokens = Math.min(maxTokens, meanTokens(maxTokens) + (chunk - 1) / 2);
  const waves = Math.max(0, completions / slots - 1);
  const steps = Math.max(1, waves * tokens + maxTokens - 1);
  return { steps, rows: Math.max(1, Math.min(slots, Math.round((completions * tokens) / steps))) };
}

async function generatorPhases(
  recipe: Recipe,
  config: ModelConfig,
  options: SizedOptions & { training: Asked; evaluation: Asked },
) {
  const { generator, trainer } = recipe;
  const { concurrency, workers, decodeChunk } = generator;
  const gpu = new RecordingGpu(options.limits, options.like);
  using pass = await DecodePass.create(gpu, {
    config,
    concurrency,
    maxSequence: options.maxSequence,
    decodeChunk,
    eosIds: [],
    precision: generator.dtype,
    cachePrecision: generator.cacheDtype,
    adapters: loraSettings(trainer.lora),
  });
  gpu.maxFlopsPerSubmit = options.like.maxFlopsPerSubmit;
  gpu.dispatches.length = 0;
  const sampling = {
    temperature: 1,
    topK: generator.topK,
    topP: generator.topP,
    minP: generator.minP,
    seed: 0,
  };
  const phasesOf = ({ completions, group, maxTokens }: Asked): Phase[] => {
    if (completions === 0) return [];
    const own = completions / workers;
    const { steps, rows } = decoding({ completions: own, maxTokens }, concurrency, decodeChunk);
    const size = Math.min(group, concurrency, Math.max(1, Math.round(own)));
    const prompts = Array.from({ length: Math.max(1, Math.floor(rows / size)) }, (_, k) => ({
      tokens: new Uint32Array(options.prompt),
      slots: Array.from({ length: size }, (_, i) => k * size + i),
    }));
    const fitting = prompts.slice(0, Math.max(1, pass.fitting(prompts)));
    const drawn = evenRows(Math.max(rows, fitting.length * size), options.prompt, meanTokens(maxTokens) / 2);
    pass.load(drawn, maxTokens);
    pass.step(1, rows, { ...sampling, maxTokens });
    const stepped = gpu.dispatches.length;
    // Submits, which completes the records of the step as well.
    pass.prefill(fitting, drawn.slice(0, fitting.length * size), 0, { ...sampling, maxTokens });
    const prefill = gpu.dispatches.splice(stepped);
    const step = gpu.dispatches.splice(0);
    return [
      { name: "decode step", jobs: jobsOf(step), times: workers * steps, returns: 1 / decodeChunk },
      {
        name: "prefill",
        jobs: jobsOf(prefill),
        times: completions / (fitting.length * size),
        returns: 0,
      },
    ];
  };
  return {
    training: phasesOf(options.training),
    evaluation: phasesOf(options.evaluation),
    kernels: gpu.compiled,
  };
}

/** Rows in the middle of their completions. */
function evenRows(count: number, prompt: number, produced: number): DecodeRow[] {
  return Array.from({ length: count }, (_, slot) => ({
    rolloutId: slot,
    slot,
    prompt: new Uint32Array(prompt),
    completion: [],
    token: 0,
    position: prompt + Math.floor(produced),
    produced: Math.floor(produced),
  }));
}

function jobsOf(dispatches: readonly RecordedDispatch[]): Job[] {
  const jobs = new Map<string, Job>();
  for (const dispatch of dispatches) {
    const { kernel, dims } = dispatch;
    const key = `${kernel.key} ${Object.values(dims).join(" ")}`;
    const job = jobs.get(key);
    if (job) job.count++;
    else
      jobs.set(key, {
        ...dispatch,
        key,
        count: 1,
        flops: kernel.spec.flops(dims),
        bytes: kernel.spec.bytes(dims),
      });
  }
  return [...jobs.values()];
}
