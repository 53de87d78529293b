/** The text of a recipe as an object. JSON that would not mean what its author sees is refused too, with the line. */
import { ConfigError } from "../errors.ts";
import { excess, placesOf } from "./json_text.ts";

/**
 * Reads a recipe's text. Whether its settings exist and fit is for `parseRecipe` to say.
 * @param where its file or address, for the messages
 * @throws ConfigError `config/bad-json`, `config/repeated-key`, `config/too-much`
 */
export function readRecipeText(text: string, where?: string): Record<string, unknown> {
  const refuse = (code: string, found: string, hint: string, cause?: unknown) =>
    new ConfigError(code, `Cannot read the recipe${where === undefined ? "" : ` ${where}`}: ${found}`, {
      hint,
      cause,
    });
  const tooMuch = excess(text);
  if (tooMuch) throw refuse("config/too-much", tooMuch.found, tooMuch.hint);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { broken } = placesOf(text);
    const place = broken === null ? "" : `line ${broken.line}, column ${broken.column}: `;
    // V8 ends its message with the place and Firefox too, each in its own way.
    const what = (cause as Error).message.replace(/^JSON\.parse: /, "").replace(/ (in JSON )?at .*$/s, "");
    const hint = "correct the JSON; comments and trailing commas are not allowed";
    throw refuse("config/bad-json", `${place}${what}`, hint, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse("config/bad-json", "it holds no JSON object", "start it with { and end it with }");
  const { repeated } = placesOf(text);
  if (repeated !== null) {
    const found = `line ${repeated.line}: \`${repeated.path}\` is written twice`;
    throw refuse("config/repeated-key", found, "keep one of the two");
  }
  return value as Record<string, unknown>;
}
