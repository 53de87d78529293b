/** 1 where Magistral's format holds (one pair of think tags at the start, a boxed answer behind it), else 0. */
import type { BuiltInReward } from "../reward.ts";

export const format: BuiltInReward = (sample, context) => {
  const { ok, reason, answer } = context.checkFormat(sample.text);
  return { reward: ok ? 1 : 0, reason, extracted: answer ?? undefined };
};
