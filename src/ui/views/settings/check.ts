/**
 * Checks a draft as the command line checks a recipe, with the same words, but goes on after the first mistake so that each
 * field can show its own. Pure but for the loader it is handed.
 */
import * as v from "valibot";
import { findField, settingPaths } from "../../../config/describe.ts";
import { parseRecipe } from "../../../config/parse.ts";
import { readRecipeText } from "../../../config/recipe_text.ts";
import { mergeLayers, type RecipeSource, resolveRecipe } from "../../../config/resolve.ts";
import { type Recipe, recipeSchema, taskMixture } from "../../../config/schema.ts";
import { suggest } from "../../../config/suggest.ts";
import { ConfigError } from "../../../errors.ts";
import { makeTask } from "../../../tasks/registry.ts";
import { BUILT_IN_REWARDS } from "../../../verifier/rewards/registry.ts";
import { pageHint } from "../../session/failure.ts";
import { moduleRefusal } from "../../session/own_origin.ts";
import { PAGE_DEFAULTS } from "../../session/page_defaults.ts";
import type { Problem } from "./draft.ts";
import { type Layer, withoutValue } from "./values.ts";

export interface Checked {
  draft: Layer;
  /** What the draft extends, merged, over what the page does otherwise than the schema. */
  base: Layer;
  /** The draft over its base, without `extends`. */
  merged: Layer;
  /** The whole recipe with what is derived, or null where it is refused. */
  recipe: Recipe | null;
  problems: Problem[];
}

/** What is wrong with a recipe that the draft extends, not with the draft. */
const CHAIN_CODES =
  /^config\/(extends|no-recipe|recipe-elsewhere|recipe-not-loaded|bad-json|repeated-key|too-much)/;

export type RecipeLoader = (name: string) => Promise<RecipeSource>;

/** Mistakes told at once; more would not be read. */
const MOST_PROBLEMS = 12;

const asProblem = ({ code, message, hint }: ConfigError, paths: string[]): Problem => ({
  code,
  message,
  hint: pageHint(code, hint),
  paths,
});

const known = new Set(settingPaths());

/** The settings that a contradiction names, as far as its message (and not its hint) names them. */
function namedSettings(message: string): string[] {
  const names = [...message.matchAll(/`([A-Za-z][\w.]*)`/g)].map(([, name]) => name);
  return [...new Set(names.filter((name) => known.has(name) || findField(name)?.kind === "group"))];
}

/** The mistake that `parseRecipe` tells of first, as a path; null where the fields are in order one by one. */
function firstPath(layer: Layer): string | null {
  const { issues } = v.safeParse(recipeSchema, layer);
  if (!issues) return null;
  return v.getDotPath(issues.find((issue) => issue.type === "strict_object") ?? issues[0]);
}

function refusal(layer: Layer): ConfigError | null {
  try {
    parseRecipe(layer);
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Without the value at a path, or without the group around it where the value is what is missing. */
function withoutMistake(layer: Layer, path: string): Layer {
  const less = withoutValue(layer, path);
  const parent = path.slice(0, Math.max(0, path.lastIndexOf(".")));
  return JSON.stringify(less) === JSON.stringify(layer) && parent !== ""
    ? withoutMistake(layer, parent)
    : less;
}

/** All mistakes of a merged recipe; contradictions only where each field is in order by itself. */
export function problemsOf(merged: Layer): Problem[] {
  const problems: Problem[] = [];
  let left = merged;
  while (problems.length < MOST_PROBLEMS) {
    const error = refusal(left);
    if (error === null) break;
    const path = firstPath(left);
    if (path === null) {
      if (problems.length === 0) problems.push(asProblem(error, namedSettings(error.message)));
      break;
    }
    problems.push(asProblem(error, [path]));
    const less = withoutMistake(left, path);
    if (less === left) break;
    left = less;
  }
  return problems;
}

/** Unknown tasks and options, which only the tasks themselves know. */
function taskProblems(recipe: Recipe): Problem[] {
  return taskMixture(recipe).flatMap(({ name, options }, i) => {
    const path = recipe.tasks ? `tasks.${i}` : "task";
    try {
      makeTask(name, options, recipe.seed);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const field = error.code === "config/unknown-task" ? "name" : "options";
      return [asProblem(error, [`${path}.${field}`])];
    }
  });
}

/** Unknown rewards, in the words in which the verifiers would refuse them; a module of one's own may bring others. */
function rewardProblems({ verifier }: Recipe, page: string | undefined): Problem[] {
  if (verifier.rewardModule !== undefined) {
    const refused = page === undefined ? null : moduleRefusal(verifier.rewardModule, page);
    return refused ? [asProblem(refused, ["verifier.rewardModule"])] : [];
  }
  const names = Object.keys(BUILT_IN_REWARDS);
  const unknown = verifier.rewards.find((name) => !names.includes(name));
  if (unknown === undefined) return [];
  const near = suggest(unknown, names);
  return [
    {
      code: "verifier/unknown-reward",
      message: `Cannot use the reward "${unknown}": there are ${names.join(", ")}`,
      hint: near === undefined ? "name a built-in reward" : `did you mean \`${near}\`?`,
      paths: ["verifier.rewards"],
    },
  ];
}

/** Checks a draft whole. @param page its address, beyond whose site no program is taken from */
export async function checkDraft(draft: Layer, load: RecipeLoader, page?: string): Promise<Checked> {
  const parents: Layer[] = [];
  let chain: ConfigError | null = null;
  try {
    await resolveRecipe({
      base: { content: draft, where: "the draft" } as unknown as Layer,
      load: async (name) => {
        const source = await load(name);
        const { content, where } = source;
        const layer = typeof content === "string" ? readRecipeText(content, where) : content;
        parents.push(layer);
        return { ...source, content: layer };
      },
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (CHAIN_CODES.test(error.code)) chain = error;
  }
  const { extends: _name, ...base } = parents.reduceRight<Layer>(
    (low, high) => mergeLayers(low, high),
    PAGE_DEFAULTS,
  );
  const { extends: _parent, ...own } = draft;
  const merged = mergeLayers(base, own);
  if (chain) return { draft, base, merged, recipe: null, problems: [asProblem(chain, ["extends"])] };
  const problems = problemsOf({ ...merged, ...oddParent(draft) });
  const recipe = problems.length === 0 ? parseRecipe(merged) : null;
  if (recipe) problems.push(...taskProblems(recipe), ...rewardProblems(recipe, page));
  return { draft, base, merged, recipe: problems.length === 0 ? recipe : null, problems };
}

/** An `extends` that is no name is a mistake like any other. */
function oddParent({ extends: parent }: Layer): Layer {
  return parent === undefined || (typeof parent === "string" && parent !== "") ? {} : { extends: parent };
}
