/**
 * The imperfect teacher of number comparison: guesses, or lines the decimals up, or forgets to and reads 3.11 as more
 * than 3.9.
 */
import * as v from "valibot";
import { DataError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import type { Problem } from "../../rollout.ts";
import type { Teacher } from "../api.ts";
import { crc32 } from "../crc32.ts";
import { parseOptions, shareOption } from "../options.ts";
import { writeTrace } from "./think_format.ts";

export const numberComparisonTeacherOptions = v.strictObject({
  /** Share of traces that guess: `<think>?</think>\boxed{…}`, right half the time. */
  guessShare: shareOption(0.5),
  /** Probability that worked traces do not line the decimals up. */
  ignorePoint: shareOption(0.3),
  /** Share of traces whose form is broken in one of four ways. */
  brokenFormat: shareOption(0.1),
});

/** Fills both fractions up to the same number of decimals. */
function lineUp(numbers: readonly string[]): string[] {
  const decimals = Math.max(...numbers.map((text) => (text.split(".")[1] ?? "").length));
  return numbers.map((text) => (decimals === 0 ? text : Number(text).toFixed(decimals)));
}

/** Compares whole parts, then fractions as if they were whole numbers: the mistake. */
function compareCarelessly(first: string, second: string): number {
  const [[a, b = "0"], [c, d = "0"]] = [first.split("."), second.split(".")];
  return Number(a) - Number(c) || Number(b) - Number(d);
}

function numbersOf(problem: Problem): [string, string] {
  const { numbers } = problem.columns;
  if (Array.isArray(numbers) && numbers.length === 2) return numbers as [string, string];
  throw new DataError("data/no-expression", `Cannot work problem ${problem.id}: it has no two numbers`, {
    hint: "Give the teacher problems of the task number_comparison.",
  });
}

/**
 * Makes the teacher.
 * @throws ConfigError where an option is unknown or out of bounds.
 */
export function numberComparisonTeacher(given: unknown, seed: number): Teacher {
  const options = parseOptions("the teacher of number_comparison", numberComparisonTeacherOptions, given);
  return {
    options,
    trace(problem, index) {
      const random = randomStream(seed, crc32("number_comparison teacher"), crc32(problem.id), index);
      const numbers = numbersOf(problem);
      const [first, second] = numbers;
      const broken = random.chance(options.brokenFormat);
      if (random.chance(options.guessShare)) {
        const guess = random.pick(numbers);
        return writeTrace("?", guess, { style: "guess", right: guess === problem.answer, broken }, random);
      }
      const careless = random.chance(options.ignorePoint);
      const difference = careless ? compareCarelessly(first, second) : Number(first) - Number(second);
      const written = careless ? numbers : lineUp(numbers);
      const wantLarger = problem.columns.direction === "larger";
      const chosen = difference > 0 === wantLarger ? first : second;
      const sign = difference > 0 ? ">" : difference < 0 ? "<" : "=";
      const detail = { style: careless ? "careless" : "steps", right: chosen === problem.answer, broken };
      return writeTrace(`${written[0]}${sign}${written[1]}`, chosen, detail, random);
    },
  };
}
