/**
 * Recipes, models and data as a page finds them: by address, seen from the page, or among what it keeps. The rules are
 * those of the command line (`src/cli/recipes.ts`), with addresses for paths.
 */
import { readModelName } from "../../config/model_name.ts";
import { type RecipeSource, resolveRecipe } from "../../config/resolve.ts";
import type { Recipe } from "../../config/schema.ts";
import { type ModelSource, openModelUrl } from "../../data/source.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { MODELS, type OpenStorage } from "../../runs/stored_runs.ts";

/** A tab may be closed at any moment, so a page saves more often than the command line where the recipe leaves it open. */
const PAGE_DEFAULTS = { checkpoint: { every: 5 } };
const PAGE_DEFAULTS_NAME = "the page's own settings";

export interface Places {
  /** The page's address, which relative ones start from. */
  base: string;
  open: OpenStorage;
}

const isFileName = (name: string) => /[\\/]/.test(name) || name.endsWith(".json");

/** Puts the page's settings below a recipe that extends no other. */
function grounded(content: Record<string, unknown>): Record<string, unknown> {
  return content.extends === undefined ? { ...content, extends: PAGE_DEFAULTS_NAME } : content;
}

async function fetchRecipe(name: string, from: string, base: string): Promise<RecipeSource> {
  const address = isFileName(name) ? new URL(name, from) : new URL(`recipes/${name}.json`, base);
  const response = await fetch(address).catch((cause: unknown) => {
    throw new ConfigError("config/no-recipe", `Cannot fetch the recipe ${address}`, {
      hint: "check the connection and try again",
      cause,
    });
  });
  // A development server answers unknown paths with its page.
  const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
  if (!response.ok || isPage) {
    throw new ConfigError("config/no-recipe", `Cannot find the recipe \`${name}\` at ${address}`, {
      hint: "name one of the recipes that come with the page, such as `default` or `sync`",
    });
  }
  const text = await response.text();
  const locate = (path: string) => new URL(path, address).href;
  return { content: text, where: address.href, locate };
}

/** Resolves what the page hands in, as the command line does. @throws ConfigError */
export function resolveOnPage(
  recipe: Record<string, unknown>,
  overrides: Record<string, unknown>,
  { base }: Pick<Places, "base">,
): Promise<Recipe> {
  const locate = (path: string) => new URL(path, base).href;
  return resolveRecipe({
    base: { content: grounded(recipe), where: base, locate },
    load: async (name, from) => {
      if (name === PAGE_DEFAULTS_NAME) return { content: PAGE_DEFAULTS, where: name };
      const source = await fetchRecipe(name, from.where, base);
      return { ...source, content: groundedText(source.content) };
    },
    overrides,
    locate,
  });
}

/** The same for text; what is not JSON is left for the resolver to refuse. */
function groundedText(content: RecipeSource["content"]): RecipeSource["content"] {
  if (typeof content !== "string") return grounded(content);
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? grounded(value as Record<string, unknown>)
      : content;
  } catch {
    return content;
  }
}

/** A model that was uploaded. @throws DataError `model/no-folder` */
async function openStoredModel(name: string, open: OpenStorage): Promise<ModelSource> {
  const storage = open(`${MODELS}/${name}`);
  if (!(await storage.exists("config.json"))) {
    throw new DataError(
      "model/no-folder",
      `Cannot load the model \`stored:${name}\`: there is none of that name here`,
      {
        hint: "Upload the zip of its folder, or choose another model",
      },
    );
  }
  return { where: `stored:${name}`, read: (file) => storage.read(file), list: () => storage.list("") };
}

async function openIfThere(address: string): Promise<ModelSource | null> {
  const source = openModelUrl(address);
  return (await source.read("config.json")) === null ? null : source;
}

/**
 * Finds the folder that a recipe's `model` names: `builtin:NAME` and `NAME` on this origin, `stored:NAME` and `NAME`
 * among uploads, or an address.
 * @throws DataError `model/no-folder`, `model/hub`
 */
export async function openModel(model: string, { base, open }: Places): Promise<ModelSource> {
  const stored = /^stored:(.+)$/.exec(model)?.[1];
  if (stored !== undefined) return openStoredModel(stored, open);
  const named = readModelName(model);
  const refuse = (found: string, hint: string) =>
    new DataError("model/no-folder", `Cannot load the model \`${model}\`: ${found}`, { hint });
  if (model === "") {
    throw refuse(
      "the recipe names none",
      "Upload a model made for this task and choose it, or take a recipe that names one",
    );
  }
  if (named.kind === "builtin") {
    const found = await openIfThere(new URL(`models/${named.name}/`, base).href);
    if (found) return found;
    throw refuse("this page comes with no policy of that name", "Choose `builtin:chain-sum`");
  }
  const path = named.kind === "hub" ? named.id : named.path;
  const isName = /^[\w.-]+$/.test(path);
  if (isName && (await open(`${MODELS}/${path}`).exists("config.json"))) return openStoredModel(path, open);
  const found =
    (isName ? await openIfThere(new URL(`models/${path}/`, base).href) : null) ??
    (await openIfThere(new URL(path.replace(/\/?$/, "/"), base).href));
  if (found) return found;
  if (named.kind === "hub") {
    throw new DataError(
      "model/hub",
      `Cannot load \`${path}\` from the hub: nothing is fetched from there unasked`,
      {
        hint: "Download the model and upload the zip of its folder, or give the full address of its folder",
      },
    );
  }
  throw refuse(
    "no config.json was found there",
    "Name a folder in Hugging Face layout (config.json, model.safetensors, tokenizer.json), or upload its zip",
  );
}

/** The problems of `data.file`. @throws DataError `data/unreadable` */
export async function readDataText(file: string, { base }: Pick<Places, "base">): Promise<string> {
  const address = new URL(file, base).href;
  const refuse = (found: string, cause?: unknown) =>
    new DataError("data/unreadable", `Cannot read the problems at ${address}: ${found}`, {
      hint: "Name a JSONL file on this origin, or one whose server allows other pages to read it",
      cause,
    });
  const response = await fetch(address).catch((cause: unknown) => {
    throw refuse("the request failed", cause);
  });
  if (!response.ok) throw refuse(`the server answered ${response.status}`);
  if (response.headers.get("content-type")?.startsWith("text/html")) throw refuse("the answer is a page");
  return response.text();
}
