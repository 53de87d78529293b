/**
 * GSPO (arXiv:2507.18071): one ratio per sequence, the exponential of the mean log ratio, clipped as a whole. The
 * gradient flows through the ratio to every token of the sequence, also where advantages differ by token.
 */
import { sequenceRatio } from "../../kernels/loss/sequence_ratio.ts";
import { sequenceSurrogate } from "../../kernels/loss/sequence_surrogate.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeSequenceSurrogate } from "./surrogates.ts";
import { sequenceClipMetrics } from "./totals.ts";

export const gspo: PolicyLoss = {
  name: "gspo",
  title: "One clipped ratio per sequence, every completion weighs the same",
  source: "arXiv:2507.18071",
  advantage: "group_std",
  weight: "sequence_mean",
  ratioLevel: "sequence",
  defaults: { ...PLAIN_SETTINGS, epsilonLow: 3e-4, epsilonHigh: 4e-4 },
  kernels: [sequenceRatio, sequenceSurrogate],
  encode: encodeSequenceSurrogate,
  metrics: sequenceClipMetrics,
};
