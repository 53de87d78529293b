/**
 * Models as a page runs them: where a folder of adapters is named, the model that they belong to with them over it. How a
 * name is looked up is the caller's: the session may ask the hub, the chat may not.
 */
import { type AdapterBase, adapterBase, withAdapters } from "../../data/adapted.ts";
import { loadModelText, type ModelSource, type ModelText } from "../../data/source.ts";
import { DataError } from "../../errors.ts";
import type { OpenModelOptions } from "./downloads.ts";
import { openModel } from "./models.ts";
import type { Places } from "./recipes.ts";

/** Adapters over adapters that are followed, at most: a folder that names itself would have no end. */
const MOST_ADAPTERS = 8;

export interface FoundPolicy<F> {
  /** What holds the weights below all adapters. */
  found: F;
  /** Its name, as a recipe would have it. */
  model: string;
  /** Folders of adapters over it, in the order in which they are laid. */
  adapters: ModelSource[];
}

/**
 * Finds the model that is named, and below adapters the one that these name.
 * @throws DataError as `find`, `adapter/no-base`
 */
export async function findPolicy<F extends { source: ModelSource }>(
  model: string,
  find: (model: string) => Promise<F>,
): Promise<FoundPolicy<F>> {
  const adapters: ModelSource[] = [];
  let name = model;
  let found = await find(name);
  for (;;) {
    const base = await adapterBase(found.source);
    if (!base) return { found, model: name, adapters };
    adapters.unshift(found.source);
    const { where } = found.source;
    if (adapters.length > MOST_ADAPTERS) {
      throw new DataError(
        "adapter/no-base",
        `Cannot open the adapters in ${where}: after ${adapters.length} folders of adapters there is still no model`,
        { hint: "Check `base_model_name_or_path` in their adapter_config.json" },
      );
    }
    ({ name, found } = await findBase(base, where, find));
  }
}

async function findBase<F>(
  base: AdapterBase,
  where: string,
  find: (model: string) => Promise<F>,
): Promise<{ name: string; found: F }> {
  let cause: unknown;
  for (const name of namesOf(base)) {
    try {
      return { name, found: await find(name) };
    } catch (error) {
      if (!(error instanceof DataError && error.code === "model/no-folder")) throw error;
      cause = error;
    }
  }
  const { baseModel } = base;
  throw new DataError(
    "adapter/no-base",
    `Cannot open the adapters in ${where}: the model that they belong to, ${baseModel}, is not here`,
    {
      hint: `Drop its folder, called ${lastName(baseModel)}, onto the page or upload it as a zip; or write the model's name as base_model_name_or_path in their adapter_config.json`,
      cause,
    },
  );
}

const lastName = (path: string) =>
  path
    .replace(/[\\/]+$/, "")
    .split(/[\\/:]/)
    .at(-1) ?? path;

/** What the adapters' model may be called here, the likeliest first: a folder of another machine is looked for by its name. */
function namesOf({ baseModel, revision }: AdapterBase): string[] {
  const [, builtin] = /[\\/]public[\\/]models[\\/]([\w.-]+)[\\/]?$/.exec(baseModel) ?? [];
  if (builtin !== undefined) return [`builtin:${builtin}`];
  const kept = [`dropped:${lastName(baseModel)}`, `stored:${lastName(baseModel)}`];
  if (/^stored:/.test(baseModel)) return kept.reverse();
  if (/^(dropped:|[\\/]|[A-Za-z]:[\\/])/.test(baseModel)) return kept;
  return [revision === undefined ? baseModel : `${baseModel}@${revision}`];
}

/** All of a policy that was found but its weights. @throws DataError `model/*`, `adapter/*`, `safetensors/*` */
export async function policyText({
  found,
  adapters,
}: FoundPolicy<{ source: ModelSource }>): Promise<ModelText> {
  let text: ModelText = await loadModelText(found.source);
  for (const source of adapters) text = await withAdapters(text, source);
  return text;
}

/** Opens what a recipe's `model` names, downloaded first where it lies on the hub. @throws DataError */
export async function openPolicy(
  model: string,
  places: Places,
  options: OpenModelOptions = {},
): Promise<ModelText> {
  const find = async (name: string) => ({ source: await openModel(name, places, options) });
  return policyText(await findPolicy(model, find));
}
