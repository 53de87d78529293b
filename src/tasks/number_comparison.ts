/** Number comparison: which of two decimal numbers is larger or smaller; 3.9 against 3.11 is the classic trap. */
import * as v from "valibot";
import { ConfigError } from "../errors.ts";
import type { Random } from "../random.ts";
import { LANGUAGES, type Language, type Task } from "./api.ts";
import { languagesOption, parseOptions, shareOption, wholeOption } from "./options.ts";
import { type Drawn, proceduralProblems } from "./procedural.ts";
import { numberComparisonTeacher } from "./teachers/number_comparison.ts";
import { thinkVocabulary } from "./teachers/think_format.ts";

type Direction = "larger" | "smaller";

/** The fixed words; ` 3.9, 3.11 =` follows. */
export const COMPARISON_WORDING: Record<Language, Record<Direction, string>> = {
  en: {
    larger: "Which of these two numbers is larger?",
    smaller: "Which of these two numbers is smaller?",
  },
  fr: {
    larger: "Lequel de ces deux nombres est le plus grand ?",
    smaller: "Lequel de ces deux nombres est le plus petit ?",
  },
  de: {
    larger: "Welche dieser beiden Zahlen ist größer?",
    smaller: "Welche dieser beiden Zahlen ist kleiner?",
  },
  es: {
    larger: "¿Cuál de estos dos números es mayor?",
    smaller: "¿Cuál de estos dos números es menor?",
  },
};

export const numberComparisonOptions = v.strictObject({
  /** Whole parts go from 0 to this. */
  maxWhole: wholeOption(99, 0, 999_999),
  maxDecimals: wholeOption(2, 0, 6),
  /** Share of problems whose numbers have the same whole part. */
  sameWhole: shareOption(0.5),
  direction: v.optional(v.picklist(["larger", "smaller", "both"]), "both"),
  languages: languagesOption(),
});
export type NumberComparisonOptions = v.InferOutput<typeof numberComparisonOptions>;

interface Comparison {
  numbers: [string, string];
  direction: Direction;
}

/** Draws a number as text; its last decimal is not 0, so that different texts are different numbers. */
function drawNumber(whole: number, maxDecimals: number, random: Random): string {
  const decimals = random.int(0, maxDecimals);
  if (decimals === 0) return `${whole}`;
  const fraction = Array.from({ length: decimals }, (_, i) => random.int(i === decimals - 1 ? 1 : 0, 9));
  return `${whole}.${fraction.join("")}`;
}

function drawComparison(options: NumberComparisonOptions, random: Random): Drawn<Comparison> {
  const { maxWhole, maxDecimals } = options;
  for (;;) {
    const whole = random.int(0, maxWhole);
    const same = maxDecimals > 0 && random.chance(options.sameWhole);
    const first = drawNumber(whole, maxDecimals, random);
    const second = drawNumber(same ? whole : random.int(0, maxWhole), maxDecimals, random);
    const direction =
      options.direction === "both" ? random.pick(["larger", "smaller"] as const) : options.direction;
    if (first === second) continue;
    return { key: [first, second].sort().join(" "), content: { numbers: [first, second], direction } };
  }
}

/**
 * Makes the comparison task.
 * @throws ConfigError where an option is unknown or out of bounds.
 */
export function numberComparison(given: unknown, seed: number): Task {
  const options = parseOptions("task number_comparison", numberComparisonOptions, given);
  if (options.maxWhole === 0 && options.maxDecimals === 0) {
    const found = "`maxWhole` and `maxDecimals` are 0";
    throw new ConfigError("config/bad-value", `Cannot use the options of task number_comparison: ${found}`, {
      hint: "Set one of them above 0, so that there are two different numbers.",
    });
  }
  const source = {
    name: "number_comparison",
    options,
    rewards: ["magistral"],
    languages: options.languages,
    draw: (random: Random) => drawComparison(options, random),
    word({ numbers, direction }: Comparison, language: Language) {
      const [low, high] = Number(numbers[0]) < Number(numbers[1]) ? numbers : [numbers[1], numbers[0]];
      return {
        text: `${direction} ${numbers.join(" ")}`,
        prompt: `${COMPARISON_WORDING[language][direction]} ${numbers.join(", ")} =`,
        answer: direction === "larger" ? high : low,
        columns: { numbers, direction },
      };
    },
  };
  return {
    ...source,
    ...proceduralProblems(source, seed),
    vocabulary: () =>
      thinkVocabulary(
        LANGUAGES.flatMap((language) => Object.values(COMPARISON_WORDING[language])),
        "0123456789 .,<>=?",
      ),
    teacher: (teacherOptions, teacherSeed = seed) => numberComparisonTeacher(teacherOptions, teacherSeed),
  };
}
