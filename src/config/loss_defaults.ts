/** The constants each policy loss was published with: what a recipe gets for fields it leaves out. */

export type LossName = "magistral" | "grpo" | "dapo" | "dr_grpo" | "gspo" | "cispo" | "tis_reinforce";
export type AdvantageName = "magistral" | "group_std" | "group_center" | "batch_std";

export interface LossConstants {
  advantage: AdvantageName;
  epsilonLow: number;
  epsilonHigh: number;
  klBeta: number;
  ratioCap: number;
}

const PLAIN = { epsilonLow: 0.2, epsilonHigh: 0.2, klBeta: 0, ratioCap: 5 };

export const LOSS_CONSTANTS: Readonly<Record<LossName, LossConstants>> = {
  magistral: { ...PLAIN, advantage: "magistral", epsilonHigh: 0.28 },
  grpo: { ...PLAIN, advantage: "group_std", klBeta: 0.04 },
  dapo: { ...PLAIN, advantage: "group_std", epsilonHigh: 0.28 },
  dr_grpo: { ...PLAIN, advantage: "group_center" },
  gspo: { ...PLAIN, advantage: "group_std", epsilonLow: 3e-4, epsilonHigh: 4e-4 },
  cispo: { ...PLAIN, advantage: "group_std" },
  tis_reinforce: { ...PLAIN, advantage: "magistral", ratioCap: 2 },
};
