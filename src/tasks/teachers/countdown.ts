/** The imperfect teacher of Countdown: tries a few expressions, each right with a set probability, and stops at a hit. */
import * as v from "valibot";
import { DataError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import type { Problem } from "../../rollout.ts";
import type { Teacher } from "../api.ts";
import { drawExpression, evaluateExpression, type Operator, spell } from "../arithmetic.ts";
import { crc32 } from "../crc32.ts";
import { parseOptions, shareOption, wholeOption } from "../options.ts";
import { writeTrace } from "./think_format.ts";

export const countdownTeacherOptions = v.strictObject({
  /** Expressions tried at most. */
  maxTries: wholeOption(3, 1, 20),
  /** Probability that a try is the known solution; other tries may be right by luck. */
  tryRight: shareOption(0.25),
  /** Share of traces whose form is broken in one of four ways. */
  brokenFormat: shareOption(0.1),
});

interface CountdownColumns {
  numbers: number[];
  target: number;
  solution: string;
}

function columnsOf(problem: Problem): CountdownColumns {
  const { numbers, target, solution } = problem.columns;
  if (Array.isArray(numbers) && typeof target === "number" && typeof solution === "string") {
    return { numbers, target, solution };
  }
  throw new DataError("data/no-expression", `Cannot work problem ${problem.id}: it has no known solution`, {
    hint: "Give the teacher problems of the task countdown.",
  });
}

/**
 * Makes the teacher; its own tries use the given operators.
 * @throws ConfigError where an option is unknown or out of bounds.
 */
export function countdownTeacher(operators: readonly Operator[], given: unknown, seed: number): Teacher {
  const options = parseOptions("the teacher of countdown", countdownTeacherOptions, given);
  return {
    options,
    trace(problem, index) {
      const random = randomStream(seed, crc32("countdown teacher"), crc32(problem.id), index);
      const { numbers, target, solution } = columnsOf(problem);
      const broken = random.chance(options.brokenFormat);
      const lines: string[] = [];
      let last = "";
      let hit = false;
      while (lines.length < options.maxTries && !hit) {
        const drawn = drawExpression(numbers, operators, random);
        const value = evaluateExpression(drawn);
        if (random.chance(options.tryRight)) [last, hit] = [solution, true];
        else if (value !== null) [last, hit] = [spell(drawn), value === target];
        else continue;
        lines.push(`${last}=${hit ? target : value}`);
      }
      return writeTrace(
        lines.join(","),
        last,
        { style: `tries-${lines.length}`, right: hit, broken },
        random,
      );
    },
  };
}
