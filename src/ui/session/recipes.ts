/**
 * Recipes and data as a page finds them: by address, seen from the page. The rules are those of the command line
 * (`src/cli/recipes.ts`), with addresses for paths.
 */
import { readRecipeText } from "../../config/recipe_text.ts";
import { type RecipeSource, resolveRecipe } from "../../config/resolve.ts";
import type { Recipe } from "../../config/schema.ts";
import { ConfigError, DataError } from "../../errors.ts";
import type { OpenStorage } from "../../runs/stored_runs.ts";
import type { ModelAccess } from "./api.ts";
import { moduleRefusal, recipeAddress } from "./own_origin.ts";
import { PAGE_DEFAULTS } from "./page_defaults.ts";

const PAGE_DEFAULTS_NAME = "the page's own settings";

export interface Places {
  /** The page's address, which relative ones start from. */
  base: string;
  open: OpenStorage;
  /** The hub's address and token, and folders that were given to the page. */
  access?: ModelAccess;
  /** Ends what is asked of the hub. */
  signal?: AbortSignal;
}

const isFileName = (name: string) => /[\\/]/.test(name) || name.endsWith(".json");

/** Puts the page's settings below a recipe that extends no other. */
function grounded(content: Record<string, unknown>): Record<string, unknown> {
  return content.extends === undefined ? { ...content, extends: PAGE_DEFAULTS_NAME } : content;
}

async function fetchRecipe(name: string, from: string, base: string): Promise<RecipeSource> {
  const address = isFileName(name)
    ? recipeAddress(name, from, base)
    : recipeAddress(`recipes/${name}.json`, base, base);
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
  const locate = (path: string) => (URL.canParse(path, address) ? new URL(path, address).href : path);
  return { content: text, where: address.href, locate };
}

/** Resolves what the page hands in, as the command line does. @throws ConfigError */
export async function resolveOnPage(
  recipe: Record<string, unknown>,
  overrides: Record<string, unknown>,
  { base }: Pick<Places, "base">,
): Promise<Recipe> {
  // What is no address is refused by who would read it, with its reason.
  const locate = (path: string) => (URL.canParse(path, base) ? new URL(path, base).href : path);
  const resolved = await resolveRecipe({
    base: { content: grounded(recipe), where: base, locate },
    load: async (name, from) => {
      if (name === PAGE_DEFAULTS_NAME) return { content: PAGE_DEFAULTS, where: name };
      const source = await fetchRecipe(name, from.where, base);
      const { content, where } = source;
      return {
        ...source,
        content: grounded(typeof content === "string" ? readRecipeText(content, where) : content),
      };
    },
    overrides,
    locate,
  });
  const { rewardModule } = resolved.verifier;
  const refusal = rewardModule ? moduleRefusal(rewardModule, base) : null;
  if (refusal) throw refusal;
  return resolved;
}

/** What lies at the address of `data.file`. @throws DataError `data/unreadable` */
export async function fetchDataFile(file: string, { base }: Pick<Places, "base">): Promise<Blob> {
  const address = URL.canParse(file, base) ? new URL(file, base).href : file;
  const refuse = (found: string, cause?: unknown) =>
    new DataError("data/unreadable", `Cannot read the problems at ${address}: ${found}`, {
      hint: "Name a JSONL or Parquet file on this origin, or one whose server allows other pages to read it",
      cause,
    });
  if (!URL.canParse(address)) throw refuse("that is no address");
  const response = await fetch(address).catch((cause: unknown) => {
    throw refuse("the request failed", cause);
  });
  if (!response.ok) throw refuse(`the server answered ${response.status}`);
  if (response.headers.get("content-type")?.startsWith("text/html")) throw refuse("the answer is a page");
  return response.blob();
}
