/**
 * Magistral (arXiv:2506.10910 §2.1): clipped surrogate with a higher upper bound, no KL, advantages standardised over
 * the minibatch, every prompt weighing the same. Departures: epsilonLow is not published, DAPO's 0.2 is used; the
 * deviation is the population's, over scored sequences.
 */
import { clippedSurrogate } from "../../kernels/loss/clipped_surrogate.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeClippedSurrogate } from "./surrogates.ts";
import { tokenClipMetrics } from "./totals.ts";

export const magistral: PolicyLoss = {
  name: "magistral",
  title: "Clip-higher, no KL, minibatch-standardised advantages, every prompt weighs the same",
  source: "arXiv:2506.10910",
  advantage: "magistral",
  weight: "group_mean",
  ratioLevel: "token",
  defaults: { ...PLAIN_SETTINGS, epsilonHigh: 0.28 },
  kernels: [clippedSurrogate],
  encode: encodeClippedSurrogate,
  metrics: tokenClipMetrics,
};
