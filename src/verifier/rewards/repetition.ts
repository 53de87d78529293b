/** TRL's repetition penalty: the share of n-grams of token ids that are repeats, times `maxPenalty` (at most 0). */
import type { BuiltInReward } from "../reward.ts";

/** (1 − distinct n-grams / n-grams) · maxPenalty; 0 for sequences shorter than n. */
export function repetitionPenalty(
  items: ArrayLike<number | string>,
  ngram: number,
  maxPenalty: number,
): number {
  const total = items.length - ngram + 1;
  if (total <= 0) return 0;
  const distinct = new Set<string>();
  const list = Array.from(items);
  for (let k = 0; k < total; k++) distinct.add(list.slice(k, k + ngram).join(" "));
  const share = 1 - distinct.size / total;
  return share === 0 ? 0 : share * maxPenalty;
}

export const repetition: BuiltInReward = ({ tokens }, { options }) => {
  const { ngram = 3, maxPenalty = -1 } = options.repetition;
  return { reward: repetitionPenalty(tokens, ngram, maxPenalty), reason: `repeats of ${ngram} tokens` };
};
