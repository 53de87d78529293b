/** Reads recipes, models and other files from where the user named them. Node and Deno only. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { readModelName } from "../config/model_name.ts";
import type { RecipeSource } from "../config/resolve.ts";
import { resolveRecipe } from "../config/resolve.ts";
import type { Recipe } from "../config/schema.ts";
import { suggestionHint } from "../config/suggest.ts";
import { ConfigError, DataError } from "../errors.ts";
import type { CommandContext } from "./command.ts";

type Places = Pick<CommandContext, "cwd" | "root">;

const isFileName = (name: string) => /[\\/]/.test(name) || name.endsWith(".json");

/** Names of the recipes that ship with the project. */
export function recipeNames(root: string): string[] {
  const folder = join(root, "public", "recipes");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

/**
 * Reads a recipe by name, or by file seen from `folder`.
 * @throws ConfigError `config/no-recipe` where there is none
 */
export function readRecipe(name: string, folder: string, root: string): RecipeSource {
  const file = isFileName(name) ? resolve(folder, name) : join(root, "public", "recipes", `${name}.json`);
  if (!existsSync(file)) {
    const known = recipeNames(root);
    throw new ConfigError(
      "config/no-recipe",
      `Cannot find the recipe \`${name}\`${isFileName(name) ? ` at ${file}` : ""}`,
      {
        hint: isFileName(name)
          ? "name an existing JSON file, or a recipe by name"
          : suggestionHint(name, known, "recipes"),
      },
    );
  }
  const here = dirname(file);
  return { content: recipeText(file), where: file, locate: (path) => resolve(here, path) };
}

function recipeText(file: string): string {
  try {
    // Editors on Windows begin a file with a mark of its encoding, which is no JSON.
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new ConfigError("config/no-recipe", `Cannot read the recipe ${file}: ${(cause as Error).message}`, {
      hint: "name a JSON file that you may read, or a recipe by name",
      cause,
    });
  }
}

export interface RecipeFlags {
  recipe?: string;
  model?: string;
  data?: string;
  seed?: number;
  steps?: number;
  set?: readonly string[];
}

/** A model as the user typed it: a folder seen from where they are, if there is one, else a name as it stands. */
export function typedModel(model: string, cwd: string): string {
  const named = readModelName(model);
  if (named.kind === "builtin") return model;
  const path = resolve(cwd, model);
  return named.kind === "folder" || existsSync(path) ? path : model;
}

/**
 * Resolves the recipe that `train`'s flags describe.
 * @throws ConfigError
 */
export function recipeFromFlags(flags: RecipeFlags, { cwd, root }: Places): Promise<Recipe> {
  return resolveRecipe({
    base: readRecipe(flags.recipe ?? "default", cwd, root),
    load: async (name, from) => readRecipe(name, dirname(from.where), root),
    sets: flags.set,
    overrides: {
      seed: flags.seed,
      steps: flags.steps,
      model: flags.model === undefined ? undefined : typedModel(flags.model, cwd),
      data: flags.data === undefined ? undefined : { file: flags.data },
    },
    locate: (path) => resolve(cwd, path),
  });
}

/**
 * The folder of a model named `builtin:NAME` or by its path, which must hold one of the `signs`.
 * @throws DataError `model/no-folder` where there is none, `model/hub` for a hub id
 */
export function modelFolder(model: string, { cwd, root }: Places, signs = ["config.json"]): string {
  const typed = readModelName(typedModel(model, cwd));
  if (typed.kind === "hub") {
    throw new DataError(
      "model/hub",
      `Cannot find the folder \`${typed.id}\`: only a model on the hub could have that name, and a folder is needed here`,
      {
        hint: "download it with `npm run models -- --get ID` and name its folder with `--model DIR`",
      },
    );
  }
  const folder =
    typed.kind === "builtin"
      ? join(root, "public", "models", typed.name)
      : isAbsolute(typed.path)
        ? typed.path
        : resolve(cwd, typed.path);
  if (!signs.some((name) => existsSync(join(folder, name)))) {
    const found = existsSync(folder) ? "that folder has no config.json" : "there is no such folder";
    throw new DataError("model/no-folder", `Cannot load the model \`${model}\`: ${found}`, {
      hint:
        typed.kind === "builtin"
          ? `known built-in policies: ${builtinModels(root).join(", ") || "none"}`
          : "name a folder in Hugging Face layout (config.json, model.safetensors, tokenizer.json)",
    });
  }
  return folder;
}

/** Names of the policies that ship with the project. */
export function builtinModels(root: string): string[] {
  const folder = join(root, "public", "models");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "config.json")))
    .sort();
}
