/** Sorting: put a few different whole numbers in ascending or descending order; the answer is `2,5,9`. */
import * as v from "valibot";
import { ConfigError } from "../errors.ts";
import type { Random } from "../random.ts";
import { LANGUAGES, type Language, type Task } from "./api.ts";
import { checkRange, languagesOption, parseOptions, wholeOption } from "./options.ts";
import { type Drawn, proceduralProblems } from "./procedural.ts";
import { sortingTeacher } from "./teachers/sorting.ts";
import { thinkVocabulary } from "./teachers/think_format.ts";

type Direction = "ascending" | "descending";

/** The fixed words; ` 9, 2, 5 =` follows. */
export const SORTING_WORDING: Record<Language, Record<Direction, string>> = {
  en: {
    ascending: "Sort these numbers in ascending order:",
    descending: "Sort these numbers in descending order:",
  },
  fr: {
    ascending: "Rangez ces nombres dans l'ordre croissant :",
    descending: "Rangez ces nombres dans l'ordre décroissant :",
  },
  de: {
    ascending: "Ordne diese Zahlen aufsteigend:",
    descending: "Ordne diese Zahlen absteigend:",
  },
  es: {
    ascending: "Ordena estos números de menor a mayor:",
    descending: "Ordena estos números de mayor a menor:",
  },
};

export const sortingOptions = v.strictObject({
  minNumbers: wholeOption(3, 2, 12),
  maxNumbers: wholeOption(5, 2, 12),
  minValue: wholeOption(0, 0, 9999),
  maxValue: wholeOption(99, 1, 9999),
  direction: v.optional(v.picklist(["ascending", "descending", "both"]), "both"),
  languages: languagesOption(),
});
export type SortingOptions = v.InferOutput<typeof sortingOptions>;

interface Sorting {
  numbers: number[];
  direction: Direction;
}

function inOrder({ numbers, direction }: Sorting): number[] {
  return [...numbers].sort((a, b) => (direction === "ascending" ? a - b : b - a));
}

function drawSorting(options: SortingOptions, random: Random): Drawn<Sorting> {
  const count = random.int(options.minNumbers, options.maxNumbers);
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(random.int(options.minValue, options.maxValue));
  const direction =
    options.direction === "both" ? random.pick(["ascending", "descending"] as const) : options.direction;
  const content = { numbers: [...drawn], direction };
  return { key: inOrder({ ...content, direction: "ascending" }).join(","), content };
}

/**
 * Makes the sorting task.
 * @throws ConfigError where an option is unknown or contradicts another.
 */
export function sorting(given: unknown, seed: number): Task {
  const options = parseOptions("task sorting", sortingOptions, given);
  checkRange("task sorting", ["minNumbers", options.minNumbers], ["maxNumbers", options.maxNumbers]);
  checkRange("task sorting", ["minValue", options.minValue], ["maxValue", options.maxValue]);
  const values = options.maxValue - options.minValue + 1;
  if (values < options.maxNumbers) {
    const found = `\`maxNumbers\` is ${options.maxNumbers}, but there are only ${values} different values`;
    throw new ConfigError("config/bad-value", `Cannot use the options of task sorting: ${found}`, {
      hint: "Set `maxValue` further from `minValue`, or lower `maxNumbers`.",
    });
  }
  const source = {
    name: "sorting",
    options,
    rewards: ["magistral"],
    languages: options.languages,
    draw: (random: Random) => drawSorting(options, random),
    word(content: Sorting, language: Language) {
      const { numbers, direction } = content;
      return {
        text: `${direction} ${numbers.join(",")}`,
        prompt: `${SORTING_WORDING[language][direction]} ${numbers.join(", ")} =`,
        answer: inOrder(content).join(","),
        columns: { ...content },
      };
    },
  };
  return {
    ...source,
    ...proceduralProblems(source, seed),
    vocabulary: () =>
      thinkVocabulary(
        LANGUAGES.flatMap((language) => Object.values(SORTING_WORDING[language])),
        "0123456789 ,;>=?",
      ),
    teacher: (teacherOptions, teacherSeed = seed) => sortingTeacher(teacherOptions, teacherSeed),
  };
}
