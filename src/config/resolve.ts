/**
 * Layers settings into one recipe: defaults < the chain of `extends` < the recipe < `--set` < flags. Reads nothing
 * itself: the page hands in a fetch, the command line a file reader.
 */
import { ConfigError } from "../errors.ts";
import { isOnHub } from "./data_name.ts";
import { findField } from "./describe.ts";
import { parseRecipe, unknownKey } from "./parse.ts";
import { readRecipeText } from "./recipe_text.ts";
import type { Recipe } from "./schema.ts";

type Layer = Record<string, unknown>;

/** The text of a recipe and where it lies. */
export interface RecipeSource {
  /** JSON text, or the object itself. */
  content: string | Layer;
  /** File name or URL: names it in messages and recognises a cycle. */
  where: string;
  /** Makes a path that is relative to the recipe's folder absolute; without it paths stay as they are. */
  locate?: (path: string) => string;
}

export interface ResolveInput {
  base: RecipeSource | string | Layer;
  /** Finds the recipe an `extends` names, seen from the recipe that names it. */
  load?: (name: string, from: RecipeSource) => Promise<RecipeSource>;
  /** `key.path=value` each; values are JSON, else text. */
  sets?: readonly string[];
  /** Settings from flags of their own; they win over `sets`. Undefined values count as absent. */
  overrides?: Layer;
  /** Makes relative paths in `sets` and `overrides` absolute. */
  locate?: (path: string) => string;
}

const sources = ["task", "tasks", "data"] as const;
const isLayer = (value: unknown): value is Layer =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Merges `upper` over `lower`; lists are replaced, and another task name or kind of source replaces the old source. */
export function mergeLayers(lower: Layer, upper: Layer): Layer {
  const merged = new Map(Object.entries(lower));
  if (sources.some((key) => upper[key] !== undefined)) {
    for (const key of sources) if (upper[key] === undefined) merged.delete(key);
  }
  for (const [key, value] of Object.entries(upper)) {
    if (value === undefined) continue;
    const below = merged.get(key);
    const otherTask =
      key === "task" && isLayer(value) && isLayer(below) && "name" in value && value.name !== below.name;
    merged.set(key, isLayer(value) && isLayer(below) && !otherTask ? mergeLayers(below, value) : value);
  }
  return Object.fromEntries(merged);
}

function readLayer({ content, where }: RecipeSource): Layer {
  return typeof content === "string" ? readRecipeText(content, where) : content;
}

/** Makes the paths of a layer absolute. Model names are paths only where they start with `./` or `../`. */
function relocate(layer: Layer, locate?: (path: string) => string): Layer {
  if (!locate) return layer;
  const at = (group: unknown, key: string) =>
    isLayer(group) && typeof group[key] === "string" && group[key] !== "" && !isOnHub(group[key])
      ? { ...group, [key]: locate(group[key]) }
      : group;
  const moved = { ...layer };
  if (typeof layer.model === "string" && /^\.\.?[\\/]/.test(layer.model)) moved.model = locate(layer.model);
  if (layer.data !== undefined) moved.data = at(layer.data, "file");
  if (layer.verifier !== undefined) moved.verifier = at(layer.verifier, "rewardModule");
  return moved;
}

async function readChain(input: ResolveInput): Promise<Layer> {
  const { base, load } = input;
  let source: RecipeSource =
    isLayer(base) && typeof base.where === "string" && "content" in base
      ? (base as unknown as RecipeSource)
      : { content: base as string | Layer, where: "given here" };
  const seen: string[] = [];
  let merged: Layer = {};
  for (;;) {
    seen.push(source.where);
    const { extends: parent, ...own } = readLayer(source);
    merged = mergeLayers(relocate(own, source.locate), merged);
    if (parent === undefined) return merged;
    if (typeof parent !== "string" || parent === "") return { ...merged, extends: parent };
    if (!load) {
      throw new ConfigError("config/extends", `Cannot find \`${parent}\`, which ${source.where} extends`, {
        hint: "recipes given as text here cannot extend others",
      });
    }
    source = await load(parent, source);
    if (seen.includes(source.where)) {
      throw new ConfigError(
        "config/extends-cycle",
        `Recipes extend each other: ${[...seen, source.where].join(" → ")}`,
        {
          hint: `take \`extends\` out of one of them`,
        },
      );
    }
  }
}

function readValue(path: string, raw: string): unknown {
  if (findField(path)?.kind === "text") {
    return /^".*"$/s.test(raw) ? parseJson(raw) : raw;
  }
  return parseJson(raw);
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return raw; // A word without quotes is itself: `--set trainer.loss=dapo`.
  }
}

/**
 * Reads one `key.path=value`.
 * @throws ConfigError `config/bad-set` without `=`, `config/unknown-key`
 */
export function parseSet(set: string): Layer {
  const cut = set.indexOf("=");
  if (cut < 1) {
    throw new ConfigError("config/bad-set", `Cannot read \`--set ${set}\`: it has no \`key=value\``, {
      hint: "write it like `--set trainer.learningRate=1e-3`",
    });
  }
  const path = set.slice(0, cut).trim();
  const keys = path.split(".");
  if (keys.some((key) => key === "" || key === "__proto__")) throw unknownKey(path);
  let value: unknown = readValue(path, set.slice(cut + 1).trim());
  for (const key of keys.reverse()) value = Object.fromEntries([[key, value]]);
  return value as Layer;
}

/**
 * Resolves a recipe with everything that is laid over it.
 * @throws ConfigError what `readRecipeText` throws, `config/extends`, `config/extends-cycle`, `config/bad-set`, and what
 * `parseRecipe` throws
 */
export async function resolveRecipe(input: ResolveInput): Promise<Recipe> {
  let layer = await readChain(input);
  let flags: Layer = {};
  for (const set of input.sets ?? []) flags = mergeLayers(flags, parseSet(set));
  flags = mergeLayers(flags, input.overrides ?? {});
  layer = mergeLayers(layer, relocate(flags, input.locate));
  return parseRecipe(layer);
}
