/** Turns a JSON value into a whole recipe, or says in one sentence what is wrong with it and how to mend it. */
import * as v from "valibot";
import { ConfigError } from "../errors.ts";
import { checkContradictions, checkSource } from "./checks.ts";
import { describeBounds, describeFields, findField, settingPaths } from "./describe.ts";
import { LOSS_CONSTANTS } from "./loss_defaults.ts";
import type { ParsedRecipe, Recipe } from "./schema.ts";
import { recipeSchema } from "./schema.ts";
import { suggest, suggestionHint } from "./suggest.ts";

const show = (value: unknown): string => {
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** A refusal of a key that no field has. */
export function unknownKey(path: string): ConfigError {
  const parent = path.includes(".") ? path.slice(0, path.lastIndexOf(".") + 1) : "";
  const siblings = describeFields()
    .map((field) => field.path.replace(/\[\]$/, ""))
    .filter((known) => known.startsWith(parent) && !known.slice(parent.length).includes("."));
  const near = suggest(path, siblings) ?? suggest(path, settingPaths());
  const hint =
    near === undefined ? suggestionHint(path, siblings, "settings there") : `did you mean \`${near}\`?`;
  return new ConfigError("config/unknown-key", `Unknown setting \`${path}\``, { hint });
}

function explain(issue: v.BaseIssue<unknown>): ConfigError {
  const path = v.getDotPath(issue) ?? "";
  if (issue.type === "strict_object" && issue.expected === "never") return unknownKey(path);
  const field = findField(path) ?? findField(path.replace(/\.\d+$/, ""));
  if (issue.input === undefined) {
    return new ConfigError("config/missing", `Cannot read the recipe: \`${path}\` is missing`, {
      hint: field ? `set it to ${describeBounds(field)}: ${field.description}` : "add it",
    });
  }
  const needed = field ? describeBounds(field) : "an object";
  const bounded = issue.type === "min_value" || issue.type === "max_value";
  const code = bounded ? "config/out-of-range" : "config/wrong-type";
  const name = path === "" ? "a recipe" : `\`${path}\``;
  const near =
    field?.choices && typeof issue.input === "string" ? suggest(issue.input, field.choices) : undefined;
  return new ConfigError(code, `Cannot use ${show(issue.input)} as ${name}: it takes ${needed}`, {
    hint:
      near !== undefined
        ? `did you mean \`${near}\`?`
        : `correct ${name}${field?.unit ? ` (in ${field.unit})` : ""}${field ? `: ${field.description}` : ""}`,
  });
}

function fillTrainer(trainer: ParsedRecipe["trainer"], maxTokens: number): Recipe["trainer"] {
  const own = LOSS_CONSTANTS[trainer.loss];
  return {
    ...trainer,
    advantage: trainer.advantage ?? own.advantage,
    epsilonLow: trainer.epsilonLow ?? own.epsilonLow,
    epsilonHigh: trainer.epsilonHigh ?? own.epsilonHigh,
    klBeta: trainer.klBeta ?? own.klBeta,
    ratioCap: trainer.ratioCap ?? own.ratioCap,
    maxLength: trainer.maxLength ?? maxTokens,
  };
}

function fillDerived(parsed: ParsedRecipe): Recipe {
  const { extends: _parent, ...rest } = parsed;
  const { maxTokens } = parsed.generator;
  const lengthMax = parsed.verifier.lengthMax ?? maxTokens;
  const anySource = parsed.task ?? parsed.tasks ?? parsed.data;
  return {
    ...rest,
    ...(anySource ? {} : { task: { name: "chain_sum", options: {} } }),
    verifier: {
      ...parsed.verifier,
      weights: parsed.verifier.weights ?? parsed.verifier.rewards.map(() => 1),
      lengthMax,
      lengthCache: parsed.verifier.lengthCache ?? Math.floor(lengthMax / 5),
    },
    trainer: fillTrainer(parsed.trainer, maxTokens),
    evaluation: { ...parsed.evaluation, maxTokens: parsed.evaluation.maxTokens ?? maxTokens },
  };
}

/**
 * Checks a recipe and fills in defaults and derived values; parsing its own result again changes nothing.
 * @throws ConfigError `config/unknown-key`, `config/wrong-type`, `config/out-of-range`, `config/missing` or
 * `config/contradiction`
 */
export function parseRecipe(value: unknown): Recipe {
  const result = v.safeParse(recipeSchema, value);
  if (!result.success) {
    const unknown = result.issues.find((issue) => issue.type === "strict_object");
    throw explain(unknown ?? result.issues[0]);
  }
  checkSource(result.output);
  const recipe = fillDerived(result.output);
  checkContradictions(recipe);
  return recipe;
}

/** The recipe that holds when nothing is set. */
export function defaultRecipe(): Recipe {
  return parseRecipe({});
}
