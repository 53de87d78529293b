/**
 * The imperfect teacher of sorting: guesses an order, or picks the next number from what is left, line by line
 * (`9,2,5>2;9,5>5;9>9`), and now and then picks the wrong one.
 */
import * as v from "valibot";
import { DataError } from "../../errors.ts";
import { type Random, randomStream } from "../../random.ts";
import type { Problem } from "../../rollout.ts";
import type { Teacher } from "../api.ts";
import { crc32 } from "../crc32.ts";
import { parseOptions, shareOption } from "../options.ts";
import { writeTrace } from "./think_format.ts";

export const sortingTeacherOptions = v.strictObject({
  /** Share of traces that guess: `<think>?</think>\boxed{…}`. */
  guessShare: shareOption(0.5),
  /** Probability that a guess is right; a wrong one is a random order. */
  guessRight: shareOption(0.3),
  /** Probability, per pick, of taking any of the numbers that are left. */
  slip: shareOption(0.1),
  /** Share of traces whose form is broken in one of four ways. */
  brokenFormat: shareOption(0.1),
});

function numbersOf(problem: Problem): number[] {
  const { numbers } = problem.columns;
  if (Array.isArray(numbers) && numbers.every((n) => typeof n === "number")) return numbers;
  throw new DataError("data/no-expression", `Cannot work problem ${problem.id}: it has no numbers to sort`, {
    hint: "Give the teacher problems of the task sorting.",
  });
}

function pickInTurn(numbers: readonly number[], ascending: boolean, slip: number, random: Random) {
  let left = [...numbers];
  const lines: string[] = [];
  const picked: number[] = [];
  while (left.length > 0) {
    const next = random.chance(slip) ? random.pick(left) : ascending ? Math.min(...left) : Math.max(...left);
    lines.push(`${left.join(",")}>${next}`);
    picked.push(next);
    left = left.filter((n) => n !== next);
  }
  return { thought: lines.join(";"), picked };
}

/**
 * Makes the teacher.
 * @throws ConfigError where an option is unknown or out of bounds.
 */
export function sortingTeacher(given: unknown, seed: number): Teacher {
  const options = parseOptions("the teacher of sorting", sortingTeacherOptions, given);
  return {
    options,
    trace(problem, index) {
      const random = randomStream(seed, crc32("sorting teacher"), crc32(problem.id), index);
      const numbers = numbersOf(problem);
      const broken = random.chance(options.brokenFormat);
      if (random.chance(options.guessShare)) {
        const right = random.chance(options.guessRight);
        const guess = right && problem.answer !== null ? problem.answer : random.shuffle(numbers).join(",");
        return writeTrace("?", guess, { style: "guess", right: guess === problem.answer, broken }, random);
      }
      const ascending = problem.columns.direction === "ascending";
      const { thought, picked } = pickInTurn(numbers, ascending, options.slip, random);
      const written = picked.join(",");
      const detail = { style: "steps", right: written === problem.answer, broken };
      return writeTrace(thought, written, detail, random);
    },
  };
}
