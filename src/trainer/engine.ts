/**
 * The trainer's inner half: one batch in, one AdamW step (or one per minibatch) out. Owns the policy on the GPU; what
 * it is given fixes every advantage and token weight, so micro-batch order and packing cannot change the gradient.
 */
import { loraSettings } from "../config/lora.ts";
import type { Recipe } from "../config/schema.ts";
import { WebgrpoError } from "../errors.ts";
import type { GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import { openPhases } from "../gpu/open_phases.ts";
import { SpanLog, traceClock } from "../metrics/trace.ts";
import { freshAdapters } from "../model/adapters/init.ts";
import type { ModelConfig } from "../model/config.ts";
import { packTensors } from "../model/layout.ts";
import { loadParameters, type TensorStream } from "../model/load.ts";
import { Parameters } from "../model/parameters.ts";
import { Policy, type PolicyOptions } from "../model/policy.ts";
import type { OptimizerState, TrainerKnobs, TrainerStep } from "./api.ts";
import {
  gatherCompletions,
  gatherMicroBatch,
  inBatchOrder,
  inputLengths,
  splitMinibatches,
  type TrainingBatch,
} from "./batch.ts";
import { LossPass, lossKernels, lossMetrics } from "./losses/loss_pass.ts";
import { policyLoss, recipeLossSettings } from "./losses/registry.ts";
import { SUMMARY_WIDTH, totalLoss } from "./losses/totals.ts";
import { type PackPlan, packMetrics, packSequences } from "./packing.ts";
import { learningRateAt } from "./schedule.ts";

export interface EngineOptions {
  recipe: Recipe;
  config: ModelConfig;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
}

/** Where an engine begins. */
export interface EngineStart {
  /** The model that the recipe names. */
  model: TensorStream;
  state: OptimizerState;
}

export interface EngineStep
  extends Omit<TrainerStep, "version" | "computeMs" | "publishMs" | "spans" | "gpuSpans"> {
  /** What is trained, by shard, where it is small enough to come with the step's figures; else see `streamTrained`. */
  trained: Float32Array[] | null;
}

/** Bytes of trained parameters that are read back together with a step's figures, at most. */
export const READ_ALONG_BYTES = 2 ** 24;

/** A minibatch whose gradient was submitted. */
interface Accumulated {
  /** Its sequences in the order of the micro-batches. */
  order: number[];
  forwardedTokens: number;
  packing: Record<string, number>;
  /** When the first micro-batch could be loaded. */
  packed: number;
}

export class TrainerEngine implements Disposable {
  readonly policy: Policy;
  /** Optimiser steps done. */
  optimizerStep = 0;
  /** What it did when; see `TrainerStep.spans`. */
  readonly spans = new SpanLog();
  private readonly recipe: Recipe;
  private readonly loss: LossPass;
  private readonly reference: Parameters | null = null;
  private readonly oldLogprobs: GpuBuffer;
  private readonly samplerLogprobs: GpuBuffer;
  private readonly refLogprobs: GpuBuffer;
  /** (M of a minibatch) what its forward pass gave, in the order of its micro-batches. */
  private readonly trainerLogprobs: GpuBuffer;
  private readonly advantages: GpuBuffer;
  private readonly tokenWeights: GpuBuffer;
  private readonly sequenceOffsets: GpuBuffer;
  private peakLearningRate: number;

  /** Compiles and allocates; `load` comes next. @throws GpuLimitError, ShaderError */
  static async create(gpu: Gpu, options: EngineOptions): Promise<TrainerEngine> {
    const { recipe } = options;
    await gpu.compile(lossKernels(policyLoss(recipe.trainer.loss), recipeLossSettings(recipe)));
    const policy = await Policy.create(gpu, policyOptions(options));
    return gpu.withRoom("the trainer's buffers", () => new TrainerEngine(policy, options));
  }

  /** Allocates; `create` compiles as well. The memory planner calls it on a device that only counts. */
  constructor(policy: Policy, options: EngineOptions) {
    const { recipe, maxSequence } = options;
    const { gpu } = policy;
    const { capacity } = policy.workspace;
    this.policy = policy;
    this.recipe = recipe;
    this.peakLearningRate = recipe.trainer.learningRate;
    const refers = recipe.trainer.klBeta > 0;
    // Adapters need no copy: without them the policy is the reference.
    if (refers)
      this.reference = policy.adapters
        ? policy.weights
        : new Parameters(gpu, policy.decoder.layout, "reference");
    this.loss = new LossPass(gpu, policyLoss(recipe.trainer.loss), recipeLossSettings(recipe), {
      tokens: capacity,
      sequences: capacity,
      minibatchSequences: recipe.trainer.batchSize,
    });
    this.oldLogprobs = gpu.buffer("old logprobs", capacity);
    this.samplerLogprobs = gpu.buffer("sampler logprobs", capacity);
    this.refLogprobs = gpu.buffer("reference logprobs", refers ? capacity : 1);
    this.trainerLogprobs = gpu.buffer("trainer logprobs", recipe.trainer.batchSize * maxSequence);
    this.advantages = gpu.buffer("advantages", capacity);
    this.tokenWeights = gpu.buffer("token weights", capacity);
    this.sequenceOffsets = gpu.buffer("completion offsets", capacity + 1);
    // A forward and a backward pass for every sequence at most, and the optimiser.
    policy.recorder.phases = openPhases(gpu, 2 * recipe.trainer.batchSize + 1);
  }

  /** Fills in the model, and what training has made of it so far. @throws DataError */
  async load({ model, state }: EngineStart): Promise<void> {
    const { policy, reference } = this;
    const { gpu } = policy;
    this.optimizerStep = state.step;
    const begins = state.weights.length === 0;
    if (policy.adapters || begins) await loadParameters(gpu, policy.weights, model);
    if (reference && reference !== policy.weights) await loadParameters(gpu, reference, model);
    if (!begins) policy.trained.write(state.weights);
    else if (policy.adapters) {
      const { config } = policy.decoder;
      const fresh = freshAdapters(config, policy.adapters.settings, this.recipe.seed);
      policy.trained.write(packTensors(policy.trained.layout, fresh));
    }
    if (state.firstMoments.length > 0) {
      policy.firstMoments.write(state.firstMoments);
      policy.secondMoments.write(state.secondMoments);
    }
  }

  /** Hands out a copy of every shard of what is trained. */
  streamTrained(onShard: (shard: number, values: Float32Array) => void): Promise<void> {
    return this.policy.trained.stream(this.policy.gpu, onShard);
  }

  /** Changes what may be changed while running; it holds from the next batch on. */
  turn({ epsilonHigh, learningRate }: TrainerKnobs): void {
    if (epsilonHigh !== undefined) this.loss.settings = { ...this.loss.settings, epsilonHigh };
    if (learningRate !== undefined) this.peakLearningRate = learningRate;
  }

  /** Trains on one batch. @throws WebgrpoError `trainer/not-finite` when the gradient is not a number. */
  async step(batch: TrainingBatch): Promise<EngineStep> {
    const { trainer } = this.recipe;
    const metrics: Record<string, number>[] = [];
    let forwardedTokens = 0;
    let trainedTokens = 0;
    let trained: Float32Array[] | null = null;
    const along = this.readAlong();
    const trainerLogprobs = new Float32Array(batch.generatorLogprobs.length);
    const advantages = new Float32Array(batch.advantages.length);
    const old =
      trainer.oldLogprobs === "recompute" ? await this.recomputeLogprobs(batch) : batch.generatorLogprobs;
    let from = 0;
    let first = 0;
    for (const minibatch of splitMinibatches(batch, trainer.minibatches)) {
      const count = minibatch.generatorLogprobs.length;
      const done = this.accumulate(minibatch, old.subarray(from, from + count));
      const learningRate = this.learningRate();
      this.update(learningRate);
      const { policy, loss } = this;
      const { phases } = policy.recorder;
      const read = await policy.gpu.staging.read([
        { source: loss.summary, length: done.order.length * SUMMARY_WIDTH },
        { source: policy.norm, length: 2 },
        { source: this.trainerLogprobs, length: count },
        ...along.map((source) => ({ source, length: source.length })),
        ...(phases?.finish() ?? []),
      ]);
      this.notePhases(done, read[3 + along.length]);
      const [summary, norm, logprobs, ...shards] = read
        .slice(0, 3 + along.length)
        .map((bytes) => new Float32Array(bytes));
      if (!Number.isFinite(norm[0])) {
        throw new WebgrpoError(
          "trainer/not-finite",
          `Cannot take optimiser step ${this.optimizerStep}: the gradient norm is ${norm[0]}, a finite number is needed`,
          {
            hint: "Resume from the newest checkpoint with a lower trainer.learningRate or a tighter trainer.maxGradNorm.",
          },
        );
      }
      trained = along.length > 0 ? shards : null;
      forwardedTokens += done.forwardedTokens;
      trainerLogprobs.set(inBatchOrder(minibatch, done.order, logprobs), from);
      advantages.set(minibatch.advantages, first);
      from += count;
      first += minibatch.advantages.length;
      const totals = totalLoss(summary, done.order.length);
      trainedTokens += totals.tokens;
      metrics.push({
        ...lossMetrics(loss.loss, loss.settings, totals),
        ...done.packing,
        grad_norm: norm[0],
        learning_rate: learningRate,
        epsilon_high: loss.settings.epsilonHigh,
      });
    }
    return {
      optimizerStep: this.optimizerStep,
      metrics: meanByName(metrics),
      forwardedTokens,
      trainedTokens,
      trainerLogprobs,
      advantages,
      trained,
    };
  }

  /** What the step did since it was packed: phase by phase where the GPU told, else as one span. */
  private notePhases({ packed, forwardedTokens }: Accumulated, told: ArrayBuffer | undefined): void {
    const { spans } = this;
    const phases = this.policy.recorder.phases?.take(told, packed, traceClock());
    if (!phases) {
      spans.add("forward, backward, optimiser", packed, { tokens: forwardedTokens });
      return;
    }
    spans.place(...phases);
    spans.add("read back", phases[phases.length - 1].end);
  }

  private readAlong(): readonly GpuBuffer[] {
    const { shards } = this.policy.trained;
    return shards.reduce((sum, { size }) => sum + size, 0) <= READ_ALONG_BYTES ? shards : [];
  }

  /** Records and submits the gradient of one minibatch, added to what the policy holds. */
  accumulate(minibatch: TrainingBatch, oldLogprobs: Float32Array): Accumulated {
    const { policy, loss } = this;
    const from = traceClock();
    const { microBatches, stats } = this.pack(minibatch);
    const micros = microBatches.map((sequences) => gatherMicroBatch(minibatch, sequences));
    const packed = this.spans.add("pack", from, { microBatches: stats.microBatches, fill: stats.fill });
    policy.recorder.phases?.start();
    const order: number[] = [];
    let firstToken = 0;
    for (const [k, micro] of micros.entries()) {
      const sequences = microBatches[k];
      policy.load(micro);
      this.sequenceOffsets.write(micro.completionOffsets);
      this.oldLogprobs.write(gatherCompletions(minibatch, sequences, oldLogprobs, micro.targets.length));
      this.samplerLogprobs.write(micro.generatorLogprobs);
      this.advantages.write(micro.advantages);
      this.tokenWeights.write(micro.weights);
      const tokens = micro.targets.length;
      const { temperature } = micro;
      const details = { microBatch: k + 1, tokens: micro.tokens.length };
      policy.recorder.enter({ name: "forward", details });
      if (this.reference) {
        policy.forwardReference(this.reference, temperature);
        policy.recorder.copy(policy.head.logprobs, 0, this.refLogprobs, 0, tokens);
      }
      policy.forward(temperature);
      policy.recorder.copy(policy.head.logprobs, 0, this.trainerLogprobs, firstToken, tokens);
      policy.recorder.enter({ name: "backward", details });
      loss.encode(
        policy.recorder,
        {
          offsets: this.sequenceOffsets,
          logprob: policy.head.logprobs,
          oldLogprob: this.oldLogprobs,
          samplerLogprob: this.samplerLogprobs,
          refLogprob: this.refLogprobs,
          advantage: this.advantages,
          weight: this.tokenWeights,
          entropy: policy.head.entropy,
        },
        { sequences: sequences.length, tokens, firstSequence: order.length },
      );
      policy.accumulate(loss.grad, temperature);
      firstToken += tokens;
      order.push(...sequences);
    }
    policy.recorder.submit();
    return { order, forwardedTokens: stats.tokens, packing: packMetrics(stats), packed };
  }

  /** Micro-batches of one temperature each: it may have been turned between two groups. */
  private pack(batch: TrainingBatch): PackPlan {
    const { capacity } = this.policy.workspace;
    return packSequences(inputLengths(batch), capacity, "length", batch.temperatures);
  }

  private learningRate(): number {
    const { trainer, steps } = this.recipe;
    return learningRateAt(this.optimizerStep, {
      shape: trainer.schedule,
      peak: this.peakLearningRate,
      warmupSteps: trainer.warmupSteps,
      totalSteps: steps * trainer.minibatches,
      floor: trainer.minLearningRateRatio,
    });
  }

  private update(learningRate: number): void {
    const { beta1, beta2, adamEps, weightDecay, maxGradNorm } = this.recipe.trainer;
    const { recorder } = this.policy;
    this.optimizerStep++;
    recorder.enter({ name: "optimiser", last: true });
    this.policy.update(
      { learningRate, beta1, beta2, eps: adamEps, weightDecay, maxGradNorm },
      this.optimizerStep,
    );
    recorder.submitLast();
  }

  /** (M) log-probabilities of the batch's completions under the weights before the update. */
  private async recomputeLogprobs(batch: TrainingBatch): Promise<Float32Array> {
    const { policy } = this;
    const began = traceClock();
    const logprobs = new Float32Array(batch.generatorLogprobs.length);
    for (const sequences of this.pack(batch).microBatches) {
      const micro = gatherMicroBatch(batch, sequences);
      policy.load(micro);
      policy.forward(micro.temperature);
      policy.recorder.submit();
      const read = await policy.head.logprobs.readFloats(0, micro.targets.length);
      sequences.forEach((i, b) => {
        logprobs.set(
          read.subarray(micro.completionOffsets[b], micro.completionOffsets[b + 1]),
          batch.completionOffsets[i],
        );
      });
    }
    this.spans.add("recompute log-probabilities", began);
    return logprobs;
  }

  /** What is trained, its moments and the step, copied from the GPU. */
  async state(): Promise<OptimizerState> {
    const { gpu, trained, firstMoments, secondMoments } = this.policy;
    return {
      step: this.optimizerStep,
      weights: await trained.read(gpu),
      firstMoments: await firstMoments.read(gpu),
      secondMoments: await secondMoments.read(gpu),
    };
  }

  [Symbol.dispose](): void {
    for (const held of [
      this.loss,
      this.oldLogprobs,
      this.samplerLogprobs,
      this.refLogprobs,
      this.trainerLogprobs,
      this.advantages,
      this.tokenWeights,
      this.sequenceOffsets,
      this.policy,
    ]) {
      held[Symbol.dispose]();
    }
    this.reference?.[Symbol.dispose]();
    this.policy.recorder.phases?.[Symbol.dispose]();
  }
}

/** The policy that an engine of these options holds. */
export function policyOptions({ recipe, config, maxSequence }: EngineOptions): PolicyOptions {
  const { microBatchTokens, lora, frozenDtype, recompute } = recipe.trainer;
  return {
    config,
    capacity: Math.max(microBatchTokens, maxSequence),
    maxPositions: maxSequence,
    adapters: loraSettings(lora),
    frozenPrecision: frozenDtype,
    recompute,
  };
}

/** Means over minibatches; totals of tokens and micro-batches are added up by their callers. */
function meanByName(records: readonly Record<string, number>[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const name of Object.keys(records[0] ?? {})) {
    result[name] = records.reduce((sum, record) => sum + record[name], 0) / records.length;
  }
  return result;
}
