import { describe, expect, it } from "vitest";
import { LOSS_CONSTANTS } from "../../src/config/loss_defaults.ts";
import { parseRecipe } from "../../src/config/parse.ts";
import { POLICY_LOSSES, recipeLossSettings } from "../../src/trainer/losses/registry.ts";

describe("LOSS_CONSTANTS", () => {
  it("gives every loss the constants of its own file", () => {
    expect(Object.keys(LOSS_CONSTANTS).sort()).toEqual(Object.keys(POLICY_LOSSES).sort());
    for (const [name, loss] of Object.entries(POLICY_LOSSES)) {
      const { advantage, epsilonLow, epsilonHigh, klBeta, ratioCap } =
        LOSS_CONSTANTS[name as keyof typeof LOSS_CONSTANTS];
      expect({ name, advantage, epsilonLow, epsilonHigh, klBeta }).toEqual({
        name,
        advantage: loss.advantage,
        epsilonLow: loss.defaults.epsilonLow,
        epsilonHigh: loss.defaults.epsilonHigh,
        klBeta: loss.defaults.klBeta,
      });
      if (Number.isFinite(loss.defaults.ratioCap)) expect(ratioCap).toBe(loss.defaults.ratioCap);
    }
  });

  it("reaches the trainer where the recipe is silent, and gives way where it is not", () => {
    expect(recipeLossSettings(parseRecipe({ trainer: { loss: "gspo" } }))).toMatchObject({
      epsilonLow: 3e-4,
      epsilonHigh: 4e-4,
      klBeta: 0,
    });
    expect(recipeLossSettings(parseRecipe({ trainer: { loss: "grpo", klBeta: 0.1 } }))).toMatchObject({
      epsilonHigh: 0.2,
      klBeta: 0.1,
    });
    expect(parseRecipe({ trainer: { loss: "dr_grpo" } }).trainer.advantage).toBe("group_center");
  });
});
