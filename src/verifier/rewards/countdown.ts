/** 1 where the answer is an expression that reaches a Countdown target with the given numbers, else 0. */
import { lastBoxed } from "../boxed.ts";
import { checkCountdown, countdownOf } from "../countdown.ts";
import type { BuiltInReward } from "../reward.ts";

export const countdown: BuiltInReward = ({ problem, text }, { options }) => {
  const given = countdownOf(problem);
  if (!given) return { reward: null, reason: "the problem has no columns `numbers` and `target`" };
  const close = text.lastIndexOf(options.thinkClose);
  const response = close < 0 ? text : text.slice(close + options.thinkClose.length);
  const tagged = [...response.matchAll(/<answer>([\s\S]{0,2000}?)<\/answer>/g)].pop()?.[1];
  const lines = response.trim().split("\n");
  const extracted = (lastBoxed(response) ?? tagged ?? lines[lines.length - 1]).trim();
  const { correct, expected, reason } = checkCountdown(extracted, given, options.countdown.useAll ?? true);
  return { reward: correct ? 1 : 0, correct: correct === true, extracted, expected, reason };
};
