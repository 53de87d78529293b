/**
 * DAPO's loss (arXiv:2503.14476 §3): clip-higher, no KL, every token weighing the same. Its dynamic sampling is the
 * collector's filter, its overlong penalty a reward.
 */
import { clippedSurrogate } from "../../kernels/loss/clipped_surrogate.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeClippedSurrogate } from "./surrogates.ts";
import { tokenClipMetrics } from "./totals.ts";

export const dapo: PolicyLoss = {
  name: "dapo",
  title: "Clip-higher, no KL, every token weighs the same",
  source: "arXiv:2503.14476",
  advantage: "group_std",
  weight: "token_mean",
  ratioLevel: "token",
  defaults: { ...PLAIN_SETTINGS, epsilonHigh: 0.28 },
  kernels: [clippedSurrogate],
  encode: encodeClippedSurrogate,
  metrics: tokenClipMetrics,
};
