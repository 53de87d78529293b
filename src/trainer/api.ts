/** What the loop and the front ends know of the trainer worker. */
import type { Recipe } from "../config/schema.ts";
import type { WeightsHandle } from "../data/weights_handle.ts";
import type { TraceSpan } from "../metrics/trace.ts";
import type { ModelConfig } from "../model/config.ts";
import type { WeightHandle } from "../weights/api.ts";
import type { TrainingBatch } from "./batch.ts";

/**
 * Everything that the optimiser needs to go on: flat shards of what is trained, every parameter (`layoutParameters`) or the
 * adapters (`layoutAdapters`).
 */
export interface OptimizerState {
  /** Optimiser steps done. */
  step: number;
  /** Without any: the model itself, or fresh adapters. */
  weights: Float32Array<ArrayBuffer>[];
  firstMoments: Float32Array<ArrayBuffer>[];
  secondMoments: Float32Array<ArrayBuffer>[];
}

/** Before the first step. */
export function freshOptimizer(): OptimizerState {
  return { step: 0, weights: [], firstMoments: [], secondMoments: [] };
}

export interface TrainerOptions {
  recipe: Recipe;
  config: ModelConfig;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  /** The model that training began with: frozen under adapters, and the reference where `trainer.klBeta` is not 0. */
  model: WeightsHandle;
  /** Where to begin; moments of zero length mean zeros. */
  start: OptimizerState;
  weights: WeightHandle;
  /** The version under which the starting weights are published. */
  firstVersion: number;
  /** The device's share of `gpu.maxMemoryMiB`. */
  maxMemoryBytes?: number;
}

export interface TrainerReady {
  adapter: string;
  allocatedBytes: number;
  version: number;
}

/** What one batch did. */
export interface TrainerStep {
  /** The version that was published after it. */
  version: number;
  /** Optimiser steps done in all. */
  optimizerStep: number;
  metrics: Record<string, number>;
  /** Rows pushed through the decoder, and completion tokens trained on. */
  forwardedTokens: number;
  trainedTokens: number;
  /**
   * (M) the trainer's own log-probability of every completion token, in the batch's order, before the first update. With
   * several minibatches each brings those of its own forward pass, which the updates of the ones before it have moved.
   */
  trainerLogprobs: Float32Array<ArrayBuffer>;
  /** (B) the advantage that every completion was trained with. */
  advantages: Float32Array<ArrayBuffer>;
  computeMs: number;
  publishMs: number;
  /**
   * What it did when. For each minibatch `pack`, then `forward` and `backward` of every micro-batch, `optimiser` and `read
   * back`, which last from one to the next as the GPU's timestamps tell; the host alone cannot tell them apart without
   * stopping the GPU, and without timestamps they are one `forward, backward, optimiser`. At last `publish`.
   */
  spans: TraceSpan[];
  /** When its GPU's queue had work since the last step; see `QueueLog`. */
  gpuSpans: TraceSpan[];
}

/** What a user may turn while a run goes on. */
export interface TrainerKnobs {
  epsilonHigh?: number;
  learningRate?: number;
}

export interface TrainerApi {
  start(options: TrainerOptions): Promise<TrainerReady>;
  step(batch: TrainingBatch): Promise<TrainerStep>;
  state(): Promise<OptimizerState>;
  turn(knobs: TrainerKnobs): void;
  /** Loses the GPU device on purpose; for tests of recovery. */
  loseDevice(): void;
  /** Does nothing for so long and answers nobody; for tests of recovery. */
  hang(ms: number): void;
}
