/** Judges an extracted answer: Countdown problems by arithmetic, all others by mathematical equality. */
import type { Problem } from "../rollout.ts";
import { checkCountdown, countdownOf } from "./countdown.ts";
import { compareAnswers } from "./math/equality.ts";
import type { Judgement } from "./reward.ts";

/**
 * Symbolic equality of two LaTeX expressions by computer algebra.
 * @throws RewardFailure when it runs out of time or fails
 */
export type SymbolicJudge = (expected: string, found: string) => Promise<boolean>;

export interface JudgeOptions {
  /** null: what the own rules cannot decide counts as not shown to be equal. */
  symbolic: SymbolicJudge | null;
  useAllNumbers: boolean;
}

const MAX_SYMBOLIC = 600;
/** A power in an exponent, a huge exponent, a factorial of something large or of a factorial. */
const TOWER = /\^\s*\{[^{}]*\^|\^\s*\{?\s*[-+]?\d{4,}|\d{4,}\s*\)?\s*!|!\s*\)*\s*!/;

/**
 * What computer algebra must not be given: long texts, and towers of powers, whose arithmetic goes on inside the runtime
 * for seconds even after the worker was terminated.
 */
const isTooHeavy = (text: string): boolean => text.length > MAX_SYMBOLIC || TOWER.test(text);

/**
 * Judges an answer against the problem's.
 * @throws RewardFailure when computer algebra runs out of time or fails
 */
export async function judgeAnswer(
  problem: Problem,
  answer: string,
  options: JudgeOptions,
): Promise<Judgement> {
  const countdown = countdownOf(problem);
  if (countdown) return checkCountdown(answer, countdown, options.useAllNumbers);
  if (problem.answer === null) return { correct: null, expected: "", reason: "the problem has no answer" };
  const expected = finalAnswer(problem.answer);
  const { outcome, reason } = compareAnswers(expected, answer, { ordered: isOrdering(problem) });
  if (outcome !== "undecided") return { correct: outcome === "equal", expected, reason };
  if (options.symbolic === null) return { correct: false, expected, reason: "not shown to be equal" };
  if (isTooHeavy(expected) || isTooHeavy(answer)) {
    return { correct: false, expected, reason: "too heavy for computer algebra" };
  }
  const same = await options.symbolic(expected, answer);
  return {
    correct: same,
    expected,
    reason: same ? "equal by computer algebra" : "not equal by computer algebra",
  };
}

/** Where things are to be put in order, the order of a list counts; elsewhere bare lists are sets. */
function isOrdering({ columns }: Problem): boolean {
  const inner = columns.metadata as Record<string, unknown> | undefined;
  return (
    columns.ordered === true || /^(?:as|des)cending$/.test(String(columns.direction ?? inner?.direction))
  );
}

/** GSM8K writes its working before the answer: only what follows the last `####` counts. */
function finalAnswer(answer: string): string {
  const mark = answer.lastIndexOf("####");
  return (mark < 0 ? answer : answer.slice(mark + 4)).trim();
}
