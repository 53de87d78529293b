/**
 * Countdown: make a target from all the numbers, each used once. Targets come from a drawn expression without
 * parentheses, so every problem has an answer; any right expression counts, which is why `answer` is null.
 */
import * as v from "valibot";
import { ConfigError } from "../errors.ts";
import type { Random } from "../random.ts";
import { LANGUAGES, type Language, type Task } from "./api.ts";
import { drawExpression, evaluateExpression, OPERATORS, spell } from "./arithmetic.ts";
import { checkRange, languagesOption, parseOptions, wholeOption } from "./options.ts";
import { type Drawn, proceduralProblems } from "./procedural.ts";
import { countdownTeacher } from "./teachers/countdown.ts";
import { thinkVocabulary } from "./teachers/think_format.ts";

/** The fixed words before the numbers, between numbers and target, and after the target. */
export const COUNTDOWN_WORDING: Record<Language, readonly [string, string, string]> = {
  en: [
    "Using all the numbers",
    ", create an expression that equals",
    ".\nYou can only use each number once.",
  ],
  fr: [
    "Avec tous les nombres",
    ", écrivez une expression qui vaut",
    ".\nChaque nombre ne sert qu'une seule fois.",
  ],
  de: ["Bilde aus allen Zahlen", " einen Ausdruck mit dem Wert", ".\nJede Zahl darf nur einmal vorkommen."],
  es: ["Con todos los números", ", escribe una expresión que valga", ".\nCada número se usa una sola vez."],
};

export const countdownOptions = v.strictObject({
  minNumbers: wholeOption(3, 2, 6),
  maxNumbers: wholeOption(3, 2, 6),
  minValue: wholeOption(1, 0, 999),
  maxValue: wholeOption(9, 1, 999),
  minTarget: wholeOption(10, 0, 99_999),
  maxTarget: wholeOption(99, 1, 99_999),
  /** Operators of the expressions that targets come from; `/` only where it leaves no remainder. */
  operators: v.optional(v.pipe(v.array(v.picklist(OPERATORS)), v.minLength(1)), ["+", "-", "*"]),
  languages: languagesOption(),
});
export type CountdownOptions = v.InferOutput<typeof countdownOptions>;

interface Countdown {
  numbers: number[];
  target: number;
  solution: string;
}

const DRAWS = 2000;

function drawCountdown(options: CountdownOptions, random: Random): Drawn<Countdown> {
  for (let draw = 0; draw < DRAWS; draw++) {
    const count = random.int(options.minNumbers, options.maxNumbers);
    const numbers = Array.from({ length: count }, () => random.int(options.minValue, options.maxValue));
    const expression = drawExpression(numbers, options.operators, random);
    const target = evaluateExpression(expression);
    if (target === null || target < options.minTarget || target > options.maxTarget) continue;
    const key = `${[...numbers].sort((a, b) => a - b).join(",")}=${target}`;
    return { key, content: { numbers, target, solution: spell(expression) } };
  }
  throw new ConfigError(
    "config/too-few-problems",
    "Cannot draw a problem of countdown: no target is in range",
    {
      hint: "Widen `minTarget` and `maxTarget`, or the numbers and operators.",
    },
  );
}

/**
 * Makes the Countdown task; rewards find `numbers`, `target` and one `solution` among the columns.
 * @throws ConfigError where an option is unknown or contradicts another.
 */
export function countdown(given: unknown, seed: number): Task {
  const options = parseOptions("task countdown", countdownOptions, given);
  checkRange("task countdown", ["minNumbers", options.minNumbers], ["maxNumbers", options.maxNumbers]);
  checkRange("task countdown", ["minValue", options.minValue], ["maxValue", options.maxValue]);
  checkRange("task countdown", ["minTarget", options.minTarget], ["maxTarget", options.maxTarget]);
  const source = {
    name: "countdown",
    options,
    rewards: ["magistral"],
    languages: options.languages,
    draw: (random: Random) => drawCountdown(options, random),
    word(content: Countdown, language: Language) {
      const { numbers, target } = content;
      const [before, between, after] = COUNTDOWN_WORDING[language];
      return {
        text: `${numbers.join(",")}=${target}`,
        prompt: `${before} ${numbers.join(", ")}${between} ${target}${after}`,
        answer: null,
        columns: { ...content },
      };
    },
  };
  return {
    ...source,
    ...proceduralProblems(source, seed),
    vocabulary: () =>
      thinkVocabulary(
        LANGUAGES.flatMap((language) => COUNTDOWN_WORDING[language]),
        "0123456789 +-*/=,()?",
      ),
    teacher: (teacherOptions, teacherSeed = seed) =>
      countdownTeacher(options.operators, teacherOptions, teacherSeed),
  };
}
