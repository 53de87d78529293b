/**
 * What a policy loss is: which advantages and token weights it wants, its constants, the kernels that turn
 * log-probabilities into dLoss/dlogprob, and its own metrics. One file per loss; `registry.ts` lists them.
 */
import type { BufferView } from "../../gpu/buffer.ts";
import type { AnyKernel } from "../../gpu/kernel.ts";
import type { Recorder } from "../../gpu/recorder.ts";
import type { AdvantageKind } from "../advantages.ts";
import type { TokenWeightRule } from "../token_weights.ts";
import type { LossTotals } from "./totals.ts";

export type LossName = "magistral" | "grpo" | "dapo" | "dr_grpo" | "gspo" | "cispo" | "tis_reinforce";

/**
 * Importance weight r of the trainer's old against the sampler's probability, e = old − sampler:
 * `token_truncate` clamp(exp e), `token_mask` exp e or 0 out of bounds, `sequence_truncate` and `sequence_mask` the
 * same with exp(Σ e), `geometric_mask` exp e where exp(mean e) of the sequence is within bounds, else 0.
 */
export type ImportanceMode =
  | "token_truncate"
  | "token_mask"
  | "sequence_truncate"
  | "sequence_mask"
  | "geometric_mask";
/** In the order of the shader's MODE. */
export const IMPORTANCE_MODES: readonly ImportanceMode[] = [
  "token_truncate",
  "token_mask",
  "sequence_truncate",
  "sequence_mask",
  "geometric_mask",
];

export interface ImportanceSettings {
  mode: ImportanceMode;
  /** Lower bound of r; 0 for none. */
  low: number;
  /** Upper bound of r. */
  high: number;
}

export interface LossSettings {
  /** The ratio is clipped below at 1 − epsilonLow. */
  epsilonLow: number;
  /** The ratio is clipped above at 1 + epsilonHigh. */
  epsilonHigh: number;
  /** Losses with a clip: caps the unclipped ratio too (dual clip c, TRL's delta); Infinity for none. */
  dualClip: number;
  /** `cispo`, `tis_reinforce`: the ratio's lower bound; 0 for none. */
  ratioFloor: number;
  /** `cispo`, `tis_reinforce`: the ratio's upper bound. */
  ratioCap: number;
  /** Weight of k3 against the frozen reference; 0 needs no reference. */
  klBeta: number;
  /** Multiplies k3 by the ratio, gradient included. */
  klBiasCorrection: boolean;
  /** Multiplies the policy term; null for none. */
  importance: ImportanceSettings | null;
}

/** Where a surrogate kernel reads and writes; M tokens of B sequences, all f32 but offsets. */
export interface SurrogateTensors {
  /** (B + 1) u32 */
  offsets: BufferView;
  /** (M) */
  logprob: BufferView;
  /** (M) */
  oldLogprob: BufferView;
  /** (M) */
  advantage: BufferView;
  /** (M) the token weight. */
  weight: BufferView;
  /** (M) the token weight times importance. */
  scaledWeight: BufferView;
  /** (M) */
  logRatio: BufferView;
  /** (B, 2) */
  ratio: BufferView;
  /** (M) written: dLoss/dlogprob. */
  grad: BufferView;
  /** (M, 4) written. */
  stats: BufferView;
}

export interface LossDims {
  sequences: number;
  /** Completion tokens. */
  tokens: number;
}

export interface PolicyLoss {
  readonly name: LossName;
  /** One line for help and page. */
  readonly title: string;
  /** Paper. */
  readonly source: string;
  /** The advantages it was published with. */
  readonly advantage: AdvantageKind;
  readonly weight: TokenWeightRule;
  /** Whether ratio and clipping belong to tokens or to whole sequences. */
  readonly ratioLevel: "token" | "sequence";
  readonly defaults: LossSettings;
  /** Surrogate kernels that `encode` dispatches. */
  readonly kernels: readonly AnyKernel[];
  /** Dispatches the surrogate: writes grad and stats for every token. */
  encode(recorder: Recorder, tensors: SurrogateTensors, dims: LossDims, settings: LossSettings): void;
  /** Its own metrics over the sequences of a step. */
  metrics(totals: LossTotals): Record<string, number>;
}

/** No KL, no cap, no importance weights; what every loss starts from. */
export const PLAIN_SETTINGS: LossSettings = {
  epsilonLow: 0.2,
  epsilonHigh: 0.2,
  dualClip: Number.POSITIVE_INFINITY,
  ratioFloor: 0,
  ratioCap: Number.POSITIVE_INFINITY,
  klBeta: 0,
  klBiasCorrection: false,
  importance: null,
};

/** WGSL knows no infinity: the largest value a uniform may stand for. */
export function finite(value: number): number {
  return Math.min(value, 3e38);
}
