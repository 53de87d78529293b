/**
 * Digit completion, the published learning check of verl: `8,3:9,4` and a separator ask for four more numbers of the
 * sequence 8, 3, … that climbs by the same step modulo 9. The same 900 prompts in the same form; no wording.
 */
import * as v from "valibot";
import { type Random, randomStream } from "../random.ts";
import { digitVocabulary } from "../text/char_tokenizer.ts";
import type { Task, Teacher } from "./api.ts";
import { crc32 } from "./crc32.ts";
import { checkRange, parseOptions, shareOption, wholeOption } from "./options.ts";
import { proceduralProblems } from "./procedural.ts";

export const digitsOptions = v.strictObject({
  modulus: wholeOption(9, 2, 9),
  /** Numbers asked for; 0 wants an empty answer, which one published prompt in ten does. */
  minCount: wholeOption(0, 0, 9),
  maxCount: wholeOption(9, 0, 9),
});

export const digitsTeacherOptions = v.strictObject({
  /** Probability, per number, of writing another digit and going on from there. */
  slip: shareOption(0.1),
});

interface Sequence {
  first: number;
  second: number;
  modulus: number;
  count: number;
}

/** Continues the sequence; `mistake` may replace a number, and the next ones follow from it. */
function continueSequence(sequence: Sequence, mistake: (right: number) => number = (right) => right): string {
  const { first, second, modulus, count } = sequence;
  const step = (((second - first) % modulus) + modulus) % modulus;
  const numbers: number[] = [];
  for (let current = second; numbers.length < count; ) {
    current = mistake((current + step) % modulus);
    numbers.push(current);
  }
  return numbers.join(",");
}

function digitsTeacher(given: unknown, seed: number): Teacher {
  const options = parseOptions("the teacher of digits", digitsTeacherOptions, given);
  return {
    options,
    trace(problem, index) {
      const random = randomStream(seed, crc32("digits teacher"), crc32(problem.id), index);
      const sequence = problem.columns as unknown as Sequence;
      const written = continueSequence(sequence, (right) =>
        random.chance(options.slip) ? random.int(0, sequence.modulus - 1) : right,
      );
      const correct = written === problem.answer;
      return { completion: `${written}E`, style: "plain", correct, wellFormed: true };
    },
  };
}

/**
 * Makes the digit-completion task.
 * @throws ConfigError where an option is unknown or out of bounds.
 */
export function digits(given: unknown, seed: number): Task {
  const options = parseOptions("task digits", digitsOptions, given);
  const { modulus, minCount, maxCount } = options;
  checkRange("task digits", ["minCount", minCount], ["maxCount", maxCount]);
  const textOf = (s: Sequence) => `${s.first},${s.second}:${s.modulus},${s.count}`;
  const source = {
    name: "digits",
    options,
    rewards: ["digits"],
    languages: ["en"] as const,
    draw(random: Random) {
      const [first, second] = [random.int(0, 9), random.int(0, modulus - 1)];
      const content = { first, second, modulus, count: random.int(minCount, maxCount) };
      return { key: textOf(content), content };
    },
    word(sequence: Sequence) {
      const text = textOf(sequence);
      return { text, prompt: `${text}S`, answer: continueSequence(sequence), columns: { ...sequence } };
    },
  };
  return {
    ...source,
    ...proceduralProblems(source, seed),
    vocabulary: () => digitVocabulary(),
    teacher: (teacherOptions, teacherSeed = seed) => digitsTeacher(teacherOptions, teacherSeed),
  };
}
