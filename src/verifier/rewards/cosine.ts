/**
 * TRL's cosine-scaled reward: short right answers earn more than long ones, short wrong ones cost more than long ones
 * (Yeo et al. 2025, arXiv:2502.03373).
 */
import type { BuiltInReward } from "../reward.ts";
import { accuracy } from "./accuracy.ts";

/** Moves on half a cosine from `atZero` at length 0 to `atMax` at `max` tokens and beyond. */
export function cosineScaled(length: number, max: number, atZero: number, atMax: number): number {
  const progress = Math.min(1, length / max);
  return atMax + 0.5 * (atZero - atMax) * (1 + Math.cos(progress * Math.PI));
}

export const cosine: BuiltInReward = async (sample, context) => {
  const score = await accuracy(sample, context);
  if (score.correct === undefined) return { ...score, reward: null };
  const { maxLength = context.options.lengthMax, ...ends } = context.options.cosine;
  const { minWrong = -1, maxWrong = -0.5, minCorrect = 0.5, maxCorrect = 1 } = ends;
  const reward = score.correct
    ? cosineScaled(sample.tokens.length, maxLength, maxCorrect, minCorrect)
    : cosineScaled(sample.tokens.length, maxLength, minWrong, maxWrong);
  return { ...score, reward };
};
