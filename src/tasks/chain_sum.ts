/**
 * Chain sums: `7 + 9 - 5 =`, worded like reasoning-gym's task of the same name, so that its rows can be asked as they
 * stand. Each language's whole fixed wording is one token of the small policies made for this task.
 */
import * as v from "valibot";
import { ConfigError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { CharVocabulary } from "../text/char_tokenizer.ts";
import { LANGUAGES, type Language, type Task } from "./api.ts";
import { checkRange, languagesOption, parseOptions, wholeOption } from "./options.ts";
import { type Drawn, proceduralProblems } from "./procedural.ts";
import { chainSumTeacher } from "./teachers/chain_sum.ts";
import { thinkVocabulary } from "./teachers/think_format.ts";

/** The fixed words before the expression; ` 7 + 9 - 5 =` follows. */
export const CHAIN_SUM_WORDING: Record<Language, string> = {
  en: "State the final answer to the following arithmetic problem:",
  fr: "Donnez le résultat final de l'opération suivante :",
  de: "Gib das Endergebnis der folgenden Rechenaufgabe an:",
  es: "Indica el resultado final de la siguiente operación:",
};

export const chainSumOptions = v.strictObject({
  /** Numbers in the sum. */
  minTerms: wholeOption(2, 2, 12),
  maxTerms: wholeOption(3, 2, 12),
  /** Digits of every number of a sum; one digit means 0 to 9, two mean 10 to 99. */
  minDigits: wholeOption(1, 1, 9),
  maxDigits: wholeOption(1, 1, 9),
  /** Share of training problems with three terms; null: every number of terms is equally likely. */
  threeTermShare: v.optional(v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1))), null),
  /** Numbers may be negative themselves, as in `4 - -7`. */
  allowNegation: v.optional(v.boolean(), false),
  languages: languagesOption(),
});
export type ChainSumOptions = v.InferOutput<typeof chainSumOptions>;

interface ChainSum {
  terms: number[];
  /** Between the terms: one fewer than terms. */
  signs: ("+" | "-")[];
}

function termCount(options: ChainSumOptions, random: Random, held: boolean): number {
  const { minTerms, maxTerms, threeTermShare } = options;
  if (held || threeTermShare === null || minTerms === maxTerms) return random.int(minTerms, maxTerms);
  if (random.chance(threeTermShare)) return 3;
  const others = Array.from({ length: maxTerms - minTerms + 1 }, (_, i) => minTerms + i).filter(
    (n) => n !== 3,
  );
  return random.pick(others);
}

function drawTerm(digits: number, options: ChainSumOptions, random: Random): number {
  const size = random.int(digits === 1 ? 0 : 10 ** (digits - 1), 10 ** digits - 1);
  return options.allowNegation && size !== 0 && random.chance(0.5) ? -size : size;
}

/** Spells the expression: `7 + 9 - 5`. */
function expressionOf({ terms, signs }: ChainSum): string {
  return terms.map((term, i) => (i === 0 ? `${term}` : ` ${signs[i - 1]} ${term}`)).join("");
}

function drawChainSum(options: ChainSumOptions, random: Random, held: boolean): Drawn<ChainSum> {
  const count = termCount(options, random, held);
  const digits = random.int(options.minDigits, options.maxDigits);
  const terms = Array.from({ length: count }, () => drawTerm(digits, options, random));
  const signs = Array.from({ length: count - 1 }, () => random.pick(["+", "-"] as const));
  const content = { terms, signs };
  return { key: expressionOf(content), content };
}

/** Tells whether a prompt is a chain sum in a wording, of a length and with numbers that the options allow. */
function acceptsPrompt(prompt: string, options: ChainSumOptions): boolean {
  const wording = options.languages.map((language) => `${CHAIN_SUM_WORDING[language]} `);
  const start = wording.find((words) => prompt.startsWith(words));
  const found = /^(-?\d+(?: [+-] -?\d+)+) =$/.exec(prompt.slice(start?.length ?? prompt.length));
  if (found === null) return false;
  const terms = found[1].split(/ [+-] /);
  const digits = terms[0].replace("-", "").length;
  const isDrawn = (term: string) =>
    (term.startsWith("-") ? options.allowNegation && term !== "-0" : true) &&
    term.replace("-", "").length === digits &&
    (digits === 1 || !/^-?0/.test(term));
  const { minTerms, maxTerms, minDigits, maxDigits } = options;
  return (
    terms.length >= minTerms &&
    terms.length <= maxTerms &&
    digits >= minDigits &&
    digits <= maxDigits &&
    terms.every(isDrawn)
  );
}

/** What the shipped tokenizer holds: all four wordings, whatever languages are trained. */
export function chainSumVocabulary(): CharVocabulary {
  const wordings = LANGUAGES.map((language) => CHAIN_SUM_WORDING[language]);
  return thinkVocabulary(wordings, "0123456789 +-=,?:");
}

/**
 * Makes the chain-sum task.
 * @throws ConfigError where an option is unknown or contradicts another.
 */
export function chainSum(given: unknown, seed: number): Task {
  const options = parseOptions("task chain_sum", chainSumOptions, given);
  const { minTerms, maxTerms, minDigits, maxDigits, threeTermShare } = options;
  checkRange("task chain_sum", ["minTerms", minTerms], ["maxTerms", maxTerms]);
  checkRange("task chain_sum", ["minDigits", minDigits], ["maxDigits", maxDigits]);
  if (threeTermShare !== null && (minTerms > 3 || maxTerms < 3)) {
    const found = `sums have ${minTerms} to ${maxTerms} terms`;
    throw new ConfigError("config/bad-value", `Cannot use \`threeTermShare\` of task chain_sum: ${found}`, {
      hint: "Let three lie between `minTerms` and `maxTerms`, or leave `threeTermShare` out.",
    });
  }
  const source = {
    name: "chain_sum",
    options,
    rewards: ["magistral"],
    languages: options.languages,
    draw: (random: Random, held: boolean) => drawChainSum(options, random, held),
    word(sum: ChainSum, language: Language) {
      const expression = expressionOf(sum);
      const answer = sum.terms.reduce((total, term, i) =>
        sum.signs[i - 1] === "-" ? total - term : total + term,
      );
      return {
        text: expression,
        prompt: `${CHAIN_SUM_WORDING[language]} ${expression} =`,
        answer: `${answer}`,
        columns: { expression },
      };
    },
  };
  return {
    ...source,
    ...proceduralProblems(source, seed),
    accepts: (prompt) => acceptsPrompt(prompt, options),
    vocabulary: chainSumVocabulary,
    teacher: (teacherOptions, teacherSeed = seed) => chainSumTeacher(teacherOptions, teacherSeed),
  };
}
