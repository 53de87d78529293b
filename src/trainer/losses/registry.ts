/** All policy losses by name. */
import type { Recipe } from "../../config/schema.ts";
import { ConfigError } from "../../errors.ts";
import type { BatchObjective } from "../batch.ts";
import { cispo } from "./cispo.ts";
import { dapo } from "./dapo.ts";
import { drGrpo } from "./dr_grpo.ts";
import { grpo } from "./grpo.ts";
import { gspo } from "./gspo.ts";
import { magistral } from "./magistral.ts";
import type { LossName, LossSettings, PolicyLoss } from "./policy_loss.ts";
import { tisReinforce } from "./tis_reinforce.ts";

export const POLICY_LOSSES: Readonly<Record<LossName, PolicyLoss>> = {
  magistral,
  grpo,
  dapo,
  dr_grpo: drGrpo,
  gspo,
  cispo,
  tis_reinforce: tisReinforce,
};

/** @throws ConfigError for a name that is not a loss. */
export function policyLoss(name: string): PolicyLoss {
  if (!Object.hasOwn(POLICY_LOSSES, name)) {
    const names = Object.keys(POLICY_LOSSES).join(", ");
    throw new ConfigError(
      "trainer/unknown-loss",
      `Cannot train with the loss "${name}": the losses are ${names}`,
      {
        hint: "Set trainer.loss to one of them.",
      },
    );
  }
  return POLICY_LOSSES[name as LossName];
}

/** The loss's constants with `changes` on top. @throws RangeError for bounds that cross or are not numbers. */
export function lossSettings(loss: PolicyLoss, changes: Partial<LossSettings> = {}): LossSettings {
  const settings: LossSettings = { ...loss.defaults, ...changes };
  const { epsilonLow, epsilonHigh, ratioFloor, ratioCap, dualClip, klBeta, importance } = settings;
  const sound =
    epsilonLow >= 0 &&
    epsilonLow <= 1 &&
    epsilonHigh >= 0 &&
    ratioFloor >= 0 &&
    ratioCap >= ratioFloor &&
    dualClip >= 1 &&
    klBeta >= 0 &&
    (importance === null || (importance.low >= 0 && importance.high >= importance.low));
  if (!sound) {
    throw new RangeError(
      `Cannot set up ${loss.name} with ${JSON.stringify(settings)}: epsilons, floor, cap, beta and bounds from 0, each lower bound below its upper, dualClip from 1 are needed`,
    );
  }
  return settings;
}

/** The loss's constants as a recipe sets them; the recipe's own defaults stand where it is silent. */
export function recipeLossSettings({ trainer }: Recipe): LossSettings {
  const { epsilonLow, epsilonHigh, ratioCap, klBeta, truncatedImportance } = trainer;
  return lossSettings(policyLoss(trainer.loss), {
    epsilonLow,
    epsilonHigh,
    ratioCap,
    klBeta,
    importance: truncatedImportance.enabled
      ? { mode: "token_truncate", low: 0, high: truncatedImportance.cap }
      : null,
  });
}

/** How a recipe turns rewards into advantages and lengths into token weights. */
export function batchObjective({ trainer }: Recipe): BatchObjective {
  return {
    advantage: trainer.advantage,
    weight: policyLoss(trainer.loss).weight,
    maxCompletionTokens: trainer.maxLength,
  };
}
