/**
 * Dr. GRPO (arXiv:2503.20783): no division by a deviation and none by a length, token sums over a constant. The
 * constant is sequences · maxLength, as in TRL; verl's default leaves the number of sequences out.
 */
import { clippedSurrogate } from "../../kernels/loss/clipped_surrogate.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeClippedSurrogate } from "./surrogates.ts";
import { tokenClipMetrics } from "./totals.ts";

export const drGrpo: PolicyLoss = {
  name: "dr_grpo",
  title: "Centred advantages, token sums over a constant length",
  source: "arXiv:2503.20783",
  advantage: "group_center",
  weight: "max_length",
  ratioLevel: "token",
  defaults: PLAIN_SETTINGS,
  kernels: [clippedSurrogate],
  encode: encodeClippedSurrogate,
  metrics: tokenClipMetrics,
};
