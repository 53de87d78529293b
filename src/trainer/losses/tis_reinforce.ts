/**
 * REINFORCE with truncated importance weights (V-trace's ρ̄, arXiv:1802.01561): the policy gradient of stale samples,
 * each token weighted by min(ρ, cap) against the policy that sampled it. The same surrogate as CISPO with verl's cap.
 */
import { truncatedReinforce } from "../../kernels/loss/truncated_reinforce.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeTruncatedReinforce } from "./surrogates.ts";

export const tisReinforce: PolicyLoss = {
  name: "tis_reinforce",
  title: "REINFORCE with importance weights truncated at 2, every token weighs the same",
  source: "arXiv:1802.01561",
  advantage: "magistral",
  weight: "token_mean",
  ratioLevel: "token",
  defaults: { ...PLAIN_SETTINGS, ratioCap: 2 },
  kernels: [truncatedReinforce],
  encode: encodeTruncatedReinforce,
  metrics: (totals) => ({ "clip_ratio/high_mean": totals.clippedHigh }),
};
