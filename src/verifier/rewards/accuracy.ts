/**
 * 1 for a right answer, else 0, whatever the format: the answer is looked for behind the last closing think tag, in
 * boxes, formulas, the stated final answer or the last number. null where the problem has no answer (as TRL's).
 */
import { countdownOf } from "../countdown.ts";
import { extractAnswer } from "../math/extract.ts";
import type { BuiltInReward } from "../reward.ts";

export const accuracy: BuiltInReward = async (sample, context) => {
  const { thinkClose } = context.options;
  const close = sample.text.lastIndexOf(thinkClose);
  const response = close < 0 ? sample.text : sample.text.slice(close + thinkClose.length);
  const bare = response.trim();
  const extracted = extractAnswer(response) ?? (countdownOf(sample.problem) ? bare : null);
  if (extracted === null) {
    if (sample.problem.answer === null) return { reward: null, reason: "the problem has no answer" };
    return { reward: 0, correct: false, expected: sample.problem.answer, reason: "no answer found" };
  }
  const { correct, expected, reason } = await context.judge(sample.problem, extracted);
  if (correct === null) return { reward: null, extracted, reason };
  return { reward: correct ? 1 : 0, correct, extracted, expected, reason };
};
