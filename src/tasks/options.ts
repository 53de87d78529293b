/** Options of tasks and teachers: parsed strictly, with defaults, and refused with the nearest known name. */
import * as v from "valibot";
import { suggestionHint } from "../config/suggest.ts";
import { ConfigError } from "../errors.ts";
import { LANGUAGES } from "./api.ts";

type Entries = v.ObjectEntries;

/** A whole number within bounds, with a default. */
export const wholeOption = (standard: number, min: number, max: number) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max)), standard);

/** A share or probability, with a default. */
export const shareOption = (standard: number) =>
  v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), standard);

/** The languages problems are worded in, English unless said otherwise. */
export const languagesOption = () =>
  v.optional(v.pipe(v.array(v.picklist(LANGUAGES)), v.minLength(1)), ["en"]);

/**
 * Parses options; `owner` names them in errors, for example `task chain_sum`.
 * @throws ConfigError where one is unknown, out of bounds or of the wrong type.
 */
export function parseOptions<T extends Entries>(
  owner: string,
  schema: v.StrictObjectSchema<T, undefined>,
  given: unknown,
): v.InferOutput<v.StrictObjectSchema<T, undefined>> {
  const result = v.safeParse(schema, given ?? {});
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = v.getDotPath(issue) ?? "";
  const known = Object.keys(schema.entries);
  if (issue.type === "strict_object" && key !== "") {
    throw new ConfigError("config/unknown-key", `Unknown option \`${key}\` of ${owner}`, {
      hint: suggestionHint(key, known, "options"),
    });
  }
  const where = key === "" ? "the options" : `option \`${key}\``;
  throw new ConfigError("config/bad-value", `Cannot use ${where} of ${owner}: ${issue.message}`, {
    hint: `Set it within its bounds, or leave it out for the default. Known options: ${known.join(", ")}.`,
  });
}

/**
 * Refuses a lower bound above its upper bound.
 * @throws ConfigError naming both options.
 */
export function checkRange(owner: string, low: [string, number], high: [string, number]): void {
  if (low[1] <= high[1]) return;
  const found = `\`${low[0]}\` is ${low[1]}, \`${high[0]}\` is ${high[1]}`;
  throw new ConfigError("config/bad-value", `Cannot use the options of ${owner}: ${found}`, {
    hint: `Set \`${low[0]}\` to at most \`${high[0]}\`.`,
  });
}
