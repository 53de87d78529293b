/** What the names of losses in `losses.json` stand for: a loss of the registry and its constants. */

import type { LossSettings, PolicyLoss } from "../trainer/losses/policy_loss.ts";
import { lossSettings, POLICY_LOSSES } from "../trainer/losses/registry.ts";

/** `losses.json`: values and gradient norms by name, and the constants they were computed with. */
export interface LossFile {
  loss: Record<string, number>;
  grad_norm: Record<string, number>;
  clip: { low: number; high: number };
  dr_grpo_max_len: number;
}

/**
 * Finds the loss of a name: a name of the registry, `NAME_betaB` with a KL weight of B, or `tisC_reinforce` with weights
 * truncated at C; null for any other. CISPO's weights are truncated at the upper end of the clip range.
 */
export function namedLoss(
  name: string,
  { clip }: Pick<LossFile, "clip">,
): { loss: PolicyLoss; settings: LossSettings } | null {
  const changes: Partial<LossSettings> = { epsilonLow: clip.low, epsilonHigh: clip.high };
  const truncated = /^tis(\d+(?:\.\d+)?)_reinforce$/.exec(name);
  const penalised = /^(.+)_beta(\d+(?:\.\d+)?)$/.exec(name);
  const base = truncated ? "tis_reinforce" : (penalised?.[1] ?? name);
  const loss = Object.values(POLICY_LOSSES).find((one) => one.name === base);
  if (!loss) return null;
  if (truncated) changes.ratioCap = Number(truncated[1]);
  if (base === "cispo") changes.ratioCap = 1 + clip.high;
  changes.klBeta = penalised ? Number(penalised[2]) : 0;
  return { loss, settings: lossSettings(loss, changes) };
}
