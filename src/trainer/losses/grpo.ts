/**
 * GRPO (arXiv:2402.03300 §4): clipped surrogate plus k3 against a frozen reference, advantages divided by the group's
 * deviation, every completion weighing the same. Departures: the paper states no clip range, PPO's 0.2 is used.
 */
import { clippedSurrogate } from "../../kernels/loss/clipped_surrogate.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeClippedSurrogate } from "./surrogates.ts";
import { tokenClipMetrics } from "./totals.ts";

export const grpo: PolicyLoss = {
  name: "grpo",
  title: "Clipped surrogate with KL to a frozen reference, every completion weighs the same",
  source: "arXiv:2402.03300",
  advantage: "group_std",
  weight: "sequence_mean",
  ratioLevel: "token",
  defaults: { ...PLAIN_SETTINGS, klBeta: 0.04 },
  kernels: [clippedSurrogate],
  encode: encodeClippedSurrogate,
  metrics: tokenClipMetrics,
};
