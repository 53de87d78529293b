/**
 * Magistral's reward (arXiv:2506.10910 §2.2): 0 where the format is broken; else 0.1, 0.9 for a right answer, 0.1 for
 * one language throughout (if switched on), and a length penalty of at most 0.1.
 */
import type { BuiltInReward } from "../reward.ts";
import { speaksOneLanguage } from "./language.ts";
import { softPenalty } from "./length_penalty.ts";

export const magistral: BuiltInReward = async (sample, context) => {
  const { options } = context;
  const format = context.checkFormat(sample.text);
  if (!format.ok || format.answer === null) return { reward: 0, correct: false, reason: format.reason };
  const judgement = await context.judge(sample.problem, format.answer);
  if (judgement.correct === null) return { reward: null, extracted: format.answer, reason: judgement.reason };
  let reward = judgement.correct ? 1 : 0.1;
  let reason = judgement.reason;
  if (options.languageBonus) {
    const agreement = await speaksOneLanguage(sample.problem, format, context);
    if (agreement.same) reward += 0.1;
    reason += `; ${agreement.reason}`;
  }
  const penalty = 0.1 * softPenalty(sample.tokens.length, options.lengthMax, options.lengthCache);
  if (penalty < 0) reason += `; ${sample.tokens.length} tokens cost ${(-penalty).toFixed(3)}`;
  return {
    reward: reward + penalty,
    correct: judgement.correct,
    extracted: format.answer,
    expected: judgement.expected,
    reason,
  };
};
