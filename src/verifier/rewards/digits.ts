/**
 * Digit completion (verl): 1 / (answer length + 1) for each leading character that is right, the end token being the
 * last; a wanted and given empty answer earns 1.
 */
import type { BuiltInReward } from "../reward.ts";

/** The share of leading characters of `answer` and the end token that the completion has. */
export function digitsReward(completion: string, answer: string, endToken: string): number {
  let right = 0;
  while (right < answer.length && completion[right] === answer[right]) right++;
  const ended = right === answer.length && completion.startsWith(endToken, right);
  return (right + (ended ? 1 : 0)) / (answer.length + 1);
}

export const digits: BuiltInReward = ({ problem, completion }, { options }) => {
  if (problem.answer === null) return { reward: null, reason: "the problem has no answer" };
  const { endToken = "E" } = options.digits;
  const reward = digitsReward(completion, problem.answer, endToken);
  const expected = problem.answer + endToken;
  return {
    reward,
    correct: reward === 1,
    extracted: completion,
    expected,
    reason: `${Math.round(reward * (problem.answer.length + 1))} of ${problem.answer.length + 1} leading characters`,
  };
};
