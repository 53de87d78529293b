/**
 * The inputs that peers' golden numbers share: two sequences of 3 and 2 tokens, from NeMo-RL's test data, and helpers
 * to run the float64 twin on them.
 */

import type { LossName, LossSettings } from "../../src/trainer/losses/policy_loss.ts";
import { lossSettings, policyLoss } from "../../src/trainer/losses/registry.ts";
import { type TokenWeightRule, tokenWeights } from "../../src/trainer/token_weights.ts";
import { type LossCase, lossReference } from "../reference/losses.ts";

export const LENGTHS = [3, 2];
export const TOKEN_ADVANTAGES = [1.2, -0.7, 0.4, -1.1, 0.6];
export const SEQUENCE_ADVANTAGES = [0.8, 0.8, 0.8, -1.1, -1.1];
/** The same tokens before filters on the distribution: NeMo takes KL and likelihood from them. */
export const UNFILTERED = [-1.3, -0.9, -1.0, -0.8, -1.2];

/** The shared inputs; weights by rule over both sequences, each a group of its own. */
export function publishedCase(advantage: number[], rule: TokenWeightRule, maxLength = 4): LossCase {
  const weights = tokenWeights(LENGTHS, [0, 1], rule, maxLength);
  return {
    offsets: [0, 3, 5],
    logprob: [-1.6, -0.8, -1.1, -0.7, -1.4],
    old: [-1.0, -1.1, -0.8, -0.9, -1.0],
    sampler: [-1.2, -1.5, -0.7, -1.4, -0.7],
    ref: [-1.1, -0.7, -1.4, -1.3, -0.8],
    advantage,
    weight: LENGTHS.flatMap((length, i) => Array<number>(length).fill(weights[i])),
  };
}

/** The constants of the published runs: clip 0.2 and 0.2, no KL. */
export const PUBLISHED: Partial<LossSettings> = { epsilonLow: 0.2, epsilonHigh: 0.2, klBeta: 0 };

export function runPublished(name: LossName, c: LossCase, changes: Partial<LossSettings> = {}) {
  return lossReference(name, lossSettings(policyLoss(name), { ...PUBLISHED, ...changes }), c);
}

/** One published row: which loss on which advantages with which weights, the loss and (if published) its gradient. */
export interface PublishedRow {
  row: string;
  name: LossName;
  advantage: number[];
  rule: TokenWeightRule;
  changes?: Partial<LossSettings>;
  /** Replaces inputs. */
  inputs?: Partial<LossCase>;
  loss: number;
  grad?: number[];
}

const tok = TOKEN_ADVANTAGES;
const seq = SEQUENCE_ADVANTAGES;
const mean = "token_mean" as const;
const none = Number.POSITIVE_INFINITY;
const logprob = [-1.6, -0.8, -1.1, -0.7, -1.4];

/** NeMo-RL's golden data: losses-and-metrics.md §8a. */
export const NEMO_ROWS: PublishedRow[] = [
  {
    row: "PPO token mean",
    name: "dapo",
    advantage: tok,
    rule: mean,
    loss: 0.186270184,
    grad: [-0.13171479, 0.18898023, -0.05926546, 0.26870861, -0.08043841],
  },
  {
    row: "forced on-policy",
    name: "dapo",
    advantage: tok,
    rule: mean,
    inputs: { old: logprob },
    loss: -0.08,
    grad: [-0.24, 0.14, -0.08, 0.22, -0.12],
  },
  {
    row: "REINFORCE",
    name: "tis_reinforce",
    advantage: tok,
    rule: mean,
    changes: { ratioFloor: 1, ratioCap: 1 },
    loss: 0.374,
    grad: [-0.24, 0.14, -0.08, 0.22, -0.12],
  },
  {
    row: "dual clip c = 3, old A2 = −3.0",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { dualClip: 3 },
    inputs: { old: [-1.0, -3.0, -0.8, -0.9, -1.0] },
    loss: 0.41728995,
    grad: [-0.13171479, 0, -0.05926546, 0.26870861, -0.08043841],
  },
  {
    row: "CISPO clamp .8–1.2, × exp(old − sampler)",
    name: "cispo",
    advantage: tok,
    rule: mean,
    changes: { ratioFloor: 0.8, ratioCap: 1.2, importance: { mode: "token_truncate", low: 0, high: none } },
    loss: 0.03329652,
    grad: [-0.23450933, 0.25062655, -0.05790959, 0.43526242, -0.07111855],
  },
  {
    row: "TIS clamp [.7, 1.3] on PPO",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { importance: { mode: "token_truncate", low: 0.7, high: 1.3 } },
    loss: 0.32090284,
    grad: [-0.16087681, 0.2456743, -0.0536256, 0.34932119, -0.05959024],
  },
  {
    row: "ICE-POP, keep [.75, 1.25]",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { importance: { mode: "token_mask", low: 0.75, high: 1.25 } },
    loss: -0.214502414,
    grad: [-0.16087681, 0, -0.0536256, 0, 0],
  },
  {
    row: "seq-mask-TIS, geometric mean in [.95, 1.15]",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { importance: { mode: "geometric_mask", low: 0.95, high: 1.15 } },
    loss: 0.383435358,
    grad: [0, 0, 0, 0.44302559, -0.05959024],
  },
  {
    row: "GSPO, × sequence IS, mean over sequences",
    name: "gspo",
    advantage: tok,
    rule: "sequence_mean",
    changes: { importance: { mode: "sequence_truncate", low: 0, high: none } },
    loss: -0.064332456,
    grad: [-0.06749294, -0.06749294, -0.06749294, 0.06907318, 0.06907318],
  },
];

const onDapo = (
  row: string,
  mode: NonNullable<LossSettings["importance"]>["mode"],
  high: number,
  loss: number,
) => ({
  row,
  name: "dapo" as const,
  advantage: seq,
  rule: mean,
  changes: { importance: { mode, low: 0, high } },
  loss,
});
const capped = (row: string, ratioCap: number, advantage: number[], loss: number, grad?: number[]) => ({
  row,
  name: "cispo" as const,
  advantage,
  rule: mean,
  changes: { ratioCap },
  loss,
  grad,
});
const dapoGrad = [-0.08780986, 0, -0.11853092, 0.26870861, 0];

/** TRL 1.13.0, executed: losses-and-metrics.md §8b. */
export const TRL_ROWS: PublishedRow[] = [
  { row: "grpo tok", name: "grpo", advantage: tok, rule: "sequence_mean", loss: 0.2336710705 },
  {
    row: "grpo seq",
    name: "grpo",
    advantage: seq,
    rule: "sequence_mean",
    loss: 0.2239351109,
    grad: [-0.07317488, 0, -0.09877576, 0.33588576, 0],
  },
  { row: "dapo tok", name: "dapo", advantage: tok, rule: mean, loss: 0.186270184 },
  { row: "dapo seq", name: "dapo", advantage: seq, rule: mean, loss: 0.0463678297, grad: dapoGrad },
  {
    row: "dapo ε_high .28 tok",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { epsilonHigh: 0.28 },
    loss: 0.186270184,
  },
  {
    row: "dapo ε_high .28 seq",
    name: "dapo",
    advantage: seq,
    rule: mean,
    changes: { epsilonHigh: 0.28 },
    loss: 0.0335678297,
    grad: dapoGrad,
  },
  { row: "dr_grpo tok", name: "dr_grpo", advantage: tok, rule: "max_length", loss: 0.116418865 },
  {
    row: "dr_grpo seq",
    name: "dr_grpo",
    advantage: seq,
    rule: "max_length",
    loss: 0.0289798936,
    grad: [-0.05488116, 0, -0.07408182, 0.16794288, 0],
  },
  capped("cispo cap 5 tok", 5, tok, 0.0492692282),
  capped(
    "cispo cap 5 seq",
    5,
    seq,
    0.0491071141,
    [-0.08780986, -0.21597741, -0.11853092, 0.26870861, 0.14747041],
  ),
  capped("cispo cap 1.2 tok", 1.2, tok, 0.0693494394),
  capped("cispo cap 1.2 seq", 1.2, seq, 0.0332212115, [-0.08780986, -0.192, -0.11853092, 0.264, 0.14747041]),
  capped("cispo cap .2 tok", 0.2, tok, 0.0748),
  capped("cispo cap .2 seq", 0.2, seq, 0.0196, [-0.032, -0.032, -0.032, 0.044, 0.044]),
  { row: "sequence level tok", name: "gspo", advantage: tok, rule: "sequence_mean", loss: -0.0097049357 },
  {
    row: "sequence level seq",
    name: "gspo",
    advantage: seq,
    rule: "sequence_mean",
    loss: 0.1701682787,
    grad: [-0.1091641, -0.1091641, -0.1091641, 0.24883029, 0.24883029],
  },
  { row: "luspo tok", name: "gspo", advantage: tok, rule: "sequence_sum", loss: -0.1422194844 },
  {
    row: "luspo seq",
    name: "gspo",
    advantage: seq,
    rule: "sequence_sum",
    loss: 0.0128442561,
    grad: [-0.3274923, -0.3274923, -0.3274923, 0.49766058, 0.49766058],
  },
  {
    row: "dapo delta 1.1 tok",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { dualClip: 1.1 },
    loss: 0.1605813442,
  },
  {
    row: "dapo delta 1.1 seq",
    name: "dapo",
    advantage: seq,
    rule: mean,
    changes: { dualClip: 1.1 },
    loss: 0.0576592229,
    grad: [-0.08780986, 0, -0.11853092, 0, 0],
  },
  {
    row: "dapo β .04, corrected tok",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { klBeta: 0.04, klBiasCorrection: true },
    loss: 0.1898660919,
  },
  {
    row: "dapo β .04, corrected seq",
    name: "dapo",
    advantage: seq,
    rule: mean,
    changes: { klBeta: 0.04, klBiasCorrection: true },
    loss: 0.0499637376,
    grad: [-0.09000511, -0.00107989, -0.11675295, 0.27457134, -0.00321754],
  },
  {
    row: "dapo β .04 tok",
    name: "dapo",
    advantage: tok,
    rule: mean,
    changes: { klBeta: 0.04 },
    loss: 0.1907953108,
  },
  {
    row: "dapo β .04 seq",
    name: "dapo",
    advantage: seq,
    rule: mean,
    changes: { klBeta: 0.04 },
    loss: 0.0508929565,
    grad: [-0.09299963, -0.00084137, -0.11645746, 0.27231811, -0.00657695],
  },
  onDapo("IS token unbounded", "token_truncate", none, 0.0724768458),
  onDapo("IS token truncate 1.3", "token_truncate", 1.3, 0.0156027809),
  onDapo("IS token mask 1.3", "token_mask", 1.3, -0.0841184079),
  onDapo("IS sequence truncate 1.5", "sequence_truncate", 1.5, -0.0543428467),
  onDapo("IS sequence mask 1.5", "sequence_mask", 1.5, 0.5431683189),
];
