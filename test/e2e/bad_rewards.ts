/** Reward functions that fail, each in its own way. */
import type { RewardArgs } from "../../src/verifier/api.ts";

export const thrower = (): number[] => {
  throw new Error("the answer key is missing");
};

export const hanger = (): number[] => {
  for (;;) if (Number.isNaN(Date.now())) return [];
};

export const notNumbers = ({ completions }: RewardArgs) => completions.map(() => Number.NaN);

export const tooFew = ({ completions }: RewardArgs) => completions.slice(1).map(() => 1);
