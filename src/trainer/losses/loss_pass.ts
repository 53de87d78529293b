/**
 * Runs a policy loss over one micro-batch on the GPU: importance weights, surrogate, KL, per-sequence statistics.
 * Owns the buffers in between; the trainer's engine supplies the log-probabilities and takes `grad` on to the head.
 */
import type { BufferView, GpuBuffer } from "../../gpu/buffer.ts";
import type { Gpu } from "../../gpu/device.ts";
import type { AnyKernel } from "../../gpu/kernel.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import { importanceWeight } from "../../kernels/loss/importance_weight.ts";
import { referenceKl } from "../../kernels/loss/reference_kl.ts";
import { sequenceStats } from "../../kernels/loss/sequence_stats.ts";
import {
  finite,
  IMPORTANCE_MODES,
  type LossDims,
  type LossSettings,
  type PolicyLoss,
} from "./policy_loss.ts";
import { type LossTotals, SUMMARY_WIDTH } from "./totals.ts";

/** What one micro-batch brings: M completion tokens of B sequences. */
export interface LossInputs {
  /** (B + 1) u32, where each completion starts in the arrays of M. */
  offsets: BufferView;
  /** (M) by the weights being trained. */
  logprob: BufferView;
  /** (M) denominator of the ratio. */
  oldLogprob: BufferView;
  /** (M) by the generator; needed with importance weights alone. */
  samplerLogprob?: BufferView;
  /** (M) by the frozen reference; needed with klBeta alone. */
  refLogprob?: BufferView;
  /** (M) */
  advantage: BufferView;
  /** (M) the token weight; 0 takes a token out. */
  weight: BufferView;
  /** (M) nats. */
  entropy: BufferView;
}

export interface LossCapacity {
  /** Completion tokens of the largest micro-batch. */
  tokens: number;
  /** Sequences of the largest micro-batch. */
  sequences: number;
  /** Sequences of the largest minibatch: rows of the summary. */
  minibatchSequences: number;
}

export class LossPass implements Disposable {
  readonly loss: PolicyLoss;
  /** (M) dLoss/dlogprob of the micro-batch encoded last. */
  readonly grad: GpuBuffer;
  /** (minibatchSequences, 16) one row a sequence; see `totalLoss`. */
  readonly summary: GpuBuffer;
  /** May be changed between two steps (epsilonHigh is, while running); switching KL or importance on needs a new pass. */
  settings: LossSettings;
  private readonly stats: GpuBuffer;
  private readonly logRatio: GpuBuffer;
  private readonly ratio: GpuBuffer;
  private readonly kl: GpuBuffer | null;
  private readonly importance: GpuBuffer | null;
  private readonly scaledWeight: GpuBuffer | null;

  constructor(gpu: Gpu, loss: PolicyLoss, settings: LossSettings, capacity: LossCapacity) {
    const { tokens, sequences, minibatchSequences } = capacity;
    const perSequence = loss.ratioLevel === "sequence";
    this.loss = loss;
    this.settings = settings;
    this.grad = gpu.buffer("loss grad", tokens);
    this.stats = gpu.buffer("loss stats", 4 * tokens);
    this.summary = gpu.buffer("loss summary", SUMMARY_WIDTH * minibatchSequences);
    this.logRatio = gpu.buffer("loss log ratio", perSequence ? tokens : 1);
    this.ratio = gpu.buffer("loss sequence ratio", perSequence ? 2 * sequences : 1);
    this.kl = settings.klBeta > 0 ? gpu.buffer("loss kl", tokens) : null;
    this.importance = settings.importance ? gpu.buffer("loss importance", tokens) : null;
    this.scaledWeight = settings.importance ? gpu.buffer("loss scaled weight", tokens) : null;
  }

  /** The kernels to compile before the first `encode`. */
  get kernels(): AnyKernel[] {
    return lossKernels(this.loss, this.settings);
  }

  /**
   * Encodes the loss of one micro-batch: `grad` for its tokens, rows firstSequence… of `summary` for its sequences.
   * @throws RangeError when log-probabilities that the settings need are not given or a buffer is too small.
   */
  encode(recorder: Recorder, inputs: LossInputs, dims: LossDims & { firstSequence: number }): void {
    const { loss, settings, grad, stats, logRatio, ratio, summary } = this;
    const { offsets, logprob, oldLogprob, advantage, weight, entropy } = inputs;
    const { sequences, tokens, firstSequence } = dims;
    const scaledWeight = this.encodeImportance(recorder, inputs, dims);
    loss.encode(
      recorder,
      { offsets, logprob, oldLogprob, advantage, weight, scaledWeight, logRatio, ratio, grad, stats },
      { sequences, tokens },
      settings,
    );
    if (this.kl) {
      if (!inputs.refLogprob) throw new RangeError(`Cannot add KL to ${loss.name}: refLogprob is not given`);
      referenceKl.encode(
        recorder,
        {
          logprob,
          old_logprob: oldLogprob,
          ref_logprob: inputs.refLogprob,
          weight,
          grad,
          stats,
          kl: this.kl,
        },
        { tokens, beta: settings.klBeta, corrected: settings.klBiasCorrection ? 1 : 0 },
      );
    }
    sequenceStats.encode(
      recorder,
      {
        offsets,
        weight,
        stats,
        kl: this.kl ?? weight,
        importance: this.importance ?? weight,
        entropy,
        summary,
      },
      {
        sequences,
        tokens,
        first: firstSequence,
        has_kl: this.kl ? 1 : 0,
        has_importance: this.importance ? 1 : 0,
      },
    );
  }

  /** The weight that the surrogate takes: the token weight, times importance if that is on. */
  private encodeImportance(
    recorder: Recorder,
    inputs: LossInputs,
    { sequences, tokens }: LossDims,
  ): BufferView {
    const { importance } = this.settings;
    if (!importance || !this.importance || !this.scaledWeight) return inputs.weight;
    if (!inputs.samplerLogprob) {
      throw new RangeError(`Cannot weigh ${this.loss.name} by importance: samplerLogprob is not given`);
    }
    importanceWeight.encode(
      recorder,
      {
        offsets: inputs.offsets,
        old_logprob: inputs.oldLogprob,
        sampler_logprob: inputs.samplerLogprob,
        weight: inputs.weight,
        importance: this.importance,
        scaled_weight: this.scaledWeight,
      },
      {
        sequences,
        tokens,
        mode: IMPORTANCE_MODES.indexOf(importance.mode),
        low: importance.low,
        high: finite(importance.high),
      },
    );
    return this.scaledWeight;
  }

  [Symbol.dispose](): void {
    for (const buffer of [this.grad, this.stats, this.summary, this.logRatio, this.ratio])
      buffer[Symbol.dispose]();
    for (const buffer of [this.kl, this.importance, this.scaledWeight]) buffer?.[Symbol.dispose]();
  }
}

/** The kernels that a loss with these settings dispatches. */
export function lossKernels(loss: PolicyLoss, settings: LossSettings): AnyKernel[] {
  const kernels: AnyKernel[] = [...loss.kernels, sequenceStats];
  if (settings.klBeta > 0) kernels.push(referenceKl);
  if (settings.importance) kernels.push(importanceWeight);
  return kernels;
}

/** The step's metrics under TRL's names where it has one. */
export function lossMetrics(
  loss: PolicyLoss,
  settings: LossSettings,
  totals: LossTotals,
): Record<string, number> {
  const metrics: Record<string, number> = {
    loss: totals.loss,
    entropy: totals.entropy,
    ratio: totals.ratioMean,
    "ratio/min": totals.ratioMin,
    "ratio/max": totals.ratioMax,
    "trainer/mismatch_kl": totals.mismatchKl,
    "sampling/sampling_logp_difference/mean": totals.logprobGapMean,
    "sampling/sampling_logp_difference/max": totals.logprobGapMax,
    "batch/trained_tokens_per_step": totals.tokens,
    ...loss.metrics(totals),
  };
  if (settings.klBeta > 0) metrics.kl = totals.kl;
  if (settings.importance) {
    metrics["sampling/importance_sampling_ratio/min"] = totals.importanceMin;
    metrics["sampling/importance_sampling_ratio/mean"] = totals.importanceMean;
    metrics["sampling/importance_sampling_ratio/max"] = totals.importanceMax;
  }
  return metrics;
}
