/**
 * The imperfect teacher of chain sums: guesses half the time, forgets carries when it does work in steps, slips, and
 * breaks the form. A policy distilled from it knows how to think and mostly does not, which is what reinforcement
 * learning then mends.
 */
import * as v from "valibot";
import { DataError } from "../../errors.ts";
import { type Random, randomStream } from "../../random.ts";
import type { Problem } from "../../rollout.ts";
import type { Teacher, Trace } from "../api.ts";
import { crc32 } from "../crc32.ts";
import { parseOptions, shareOption } from "../options.ts";
import { writeTrace } from "./think_format.ts";

export const chainSumTeacherOptions = v.strictObject({
  /** Share of traces that guess: `<think>?</think>\boxed{n}`. */
  guessShare: shareOption(0.58),
  /** Probability that a guess is right; a wrong one is off by 1, 2 or 10. */
  guessRight: shareOption(0.3),
  /** Probability, per step that has one, of forgetting the carry or borrow. */
  forget: shareOption(0.3),
  /** Probability, per step, of being off by 1 or 10. */
  slip: shareOption(0.03),
  /** Share of all traces whose form is broken in one of four ways. */
  brokenFormat: shareOption(0.12),
});
export type ChainSumTeacherOptions = v.InferOutput<typeof chainSumTeacherOptions>;

/** The first number and the signed steps that follow: `7 + 9 - 5` is 7, +9, −5. */
function parseExpression(problem: Problem): { first: number; steps: { sign: "+" | "-"; term: number }[] } {
  const expression = problem.columns.expression;
  if (typeof expression !== "string" || !/^-?\d+( [+-] -?\d+)+$/.test(expression)) {
    throw new DataError(
      "data/no-expression",
      `Cannot work problem ${problem.id}: it has no readable expression`,
      {
        hint: "Give the teacher problems of the task chain_sum.",
      },
    );
  }
  const [first, ...rest] = expression.split(" ");
  const steps = [];
  for (let i = 0; i < rest.length; i += 2)
    steps.push({ sign: rest[i] as "+" | "-", term: Number(rest[i + 1]) });
  return { first: Number(first), steps };
}

/** What is left out of `a + b` when its units' carry or borrow is forgotten; 0 where there is none. */
function forgotten(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  const [unitsA, unitsB] = [Math.abs(a) % 10, Math.abs(b) % 10];
  if (a < 0 === b < 0) return unitsA + unitsB >= 10 ? (a < 0 ? 10 : -10) : 0;
  const [plus, minus] = a < 0 ? [unitsB, unitsA] : [unitsA, unitsB];
  return plus < minus ? 10 : 0;
}

function takeStep(a: number, b: number, options: ChainSumTeacherOptions, random: Random): number {
  let result = a + b;
  if (random.chance(options.forget)) result += forgotten(a, b);
  if (random.chance(options.slip)) result += random.pick([-10, -1, 1, 10]);
  return result;
}

function workOut(problem: Problem, options: ChainSumTeacherOptions, random: Random) {
  const { first, steps } = parseExpression(problem);
  let current = first;
  const written = steps.map(({ sign, term }) => {
    const result = takeStep(current, sign === "-" ? -term : term, options, random);
    const line = `${current}${sign}${term}=${result}`;
    current = result;
    return line;
  });
  return { thought: written.join(","), result: current };
}

/**
 * Makes the teacher.
 * @throws ConfigError where an option is unknown or out of bounds.
 */
export function chainSumTeacher(given: unknown, seed: number): Teacher {
  const options = parseOptions("the teacher of chain_sum", chainSumTeacherOptions, given);
  return {
    options,
    trace(problem, index): Trace {
      const random = randomStream(seed, crc32("chain_sum teacher"), crc32(problem.id), index);
      const right = Number(problem.answer);
      const broken = random.chance(options.brokenFormat);
      if (random.chance(options.guessShare)) {
        const off = random.chance(options.guessRight) ? 0 : random.pick([-10, -2, -1, 1, 2, 10]);
        return writeTrace("?", `${right + off}`, { style: "guess", right: off === 0, broken }, random);
      }
      const { thought, result } = workOut(problem, options, random);
      return writeTrace(thought, `${result}`, { style: "steps", right: result === right, broken }, random);
    },
  };
}
