/** The recipes that lie beside the page: the same files that the command line reads. */
import type { RecipeSource } from "../../../config/resolve.ts";
import { suggestionHint } from "../../../config/suggest.ts";
import { ConfigError } from "../../../errors.ts";
import { recipeAddress } from "../../session/own_origin.ts";

/** A static host lists no folders, so the names stand here; a test holds them against the folder. */
export const RECIPE_NAMES = [
  "default",
  "chain-sum-lora",
  "sync",
  "smoke",
  "countdown",
  "digits",
  "gsm8k",
  "math",
  "mgsm",
] as const;

const texts = new Map<string, Promise<string>>();

const isFileName = (name: string) => /[\\/]/.test(name) || name.endsWith(".json");

function addressOf(name: string): URL {
  if (isFileName(name)) return recipeAddress(name, document.baseURI, document.baseURI);
  if ((RECIPE_NAMES as readonly string[]).includes(name))
    return new URL(`recipes/${name}.json`, document.baseURI);
  throw new ConfigError("config/no-recipe", `Cannot find the recipe \`${name}\``, {
    hint: suggestionHint(name, RECIPE_NAMES, "recipes"),
  });
}

async function fetchText(name: string, address: URL): Promise<string> {
  const refuse = (found: string, cause?: unknown) =>
    new ConfigError("config/recipe-not-loaded", `Cannot load the recipe \`${name}\`: ${found}`, {
      cause,
      hint: "check the connection and reload the page",
    });
  const response = await fetch(address).catch((cause: unknown) => {
    throw refuse((cause as Error).message, cause);
  });
  // A development server answers unknown paths with its page.
  const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
  if (!response.ok || isPage) throw refuse(`the server answered ${isPage ? "with a page" : response.status}`);
  return response.text();
}

/**
 * Loads a recipe by name, or by its address seen from the page; each is fetched once.
 * @throws ConfigError `config/no-recipe` for an unknown name, `config/recipe-elsewhere`, `config/recipe-not-loaded`
 */
export async function loadRecipe(name: string): Promise<RecipeSource> {
  const address = addressOf(name);
  let text = texts.get(address.href);
  if (!text) {
    text = fetchText(name, address);
    texts.set(address.href, text);
    text.catch(() => texts.delete(address.href));
  }
  return { content: await text, where: address.href };
}
