/**
 * CISPO (arXiv:2506.13585): REINFORCE weighted by the capped ratio, which is held constant, so that no token loses
 * its gradient. The cap is on the ratio itself (as in TRL; ScaleRL's 5) and there is no lower bound unless ratioFloor
 * sets one (verl clamps to 1 ± epsilon).
 */
import { truncatedReinforce } from "../../kernels/loss/truncated_reinforce.ts";
import { PLAIN_SETTINGS, type PolicyLoss } from "./policy_loss.ts";
import { encodeTruncatedReinforce } from "./surrogates.ts";

export const cispo: PolicyLoss = {
  name: "cispo",
  title: "REINFORCE weighted by the capped ratio, every token weighs the same",
  source: "arXiv:2506.13585",
  advantage: "group_std",
  weight: "token_mean",
  ratioLevel: "token",
  defaults: { ...PLAIN_SETTINGS, ratioCap: 5 },
  kernels: [truncatedReinforce],
  encode: encodeTruncatedReinforce,
  metrics: (totals) => ({ cispo_clip_ratio: totals.clippedHigh }),
};
