/**
 * Models as a page runs them: where a folder of adapters is named, the model that they belong to with them over it. How a
 * name is looked up is the caller's: the session may ask the hub, the chat may not.
 */
import { type AdapterBase, adapterBase, withAdapters } from "../../data/adapted.ts";
import { loadModelText, type ModelSource, type ModelText } from "../../data/source.ts";
import { DataError } from "../../errors.ts";
import { downloadModel, type OpenModelOptions, partOf } from "./downloads.ts";
import { type FoundModel, findModel } from "./models.ts";
import type { Places } from "./recipes.ts";

/** Adapters over adapters that are followed, at most: a folder that names itself would have no end. */
const MOST_ADAPTERS = 8;

export interface FoundPolicy<F> {
  /** What holds the weights below all adapters. */
  found: F;
  /** Its name, as a recipe would have it. */
  model: string;
  /** Folders of adapters over it, in the order in which they are laid. */
  adapters: { found: F; model: string }[];
}

/**
 * Finds the model that is named, and below adapters the one that these name.
 * @throws DataError as `find`, `adapter/no-base`
 */
export async function findPolicy<F extends { source: ModelSource }>(
  model: string,
  find: (model: string) => Promise<F>,
): Promise<FoundPolicy<F>> {
  const adapters: FoundPolicy<F>["adapters"] = [];
  let name = model;
  let found = await find(name);
  for (;;) {
    const base = await adapterBase(found.source);
    if (!base) return { found, model: name, adapters };
    adapters.unshift({ found, model: name });
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
      if (!(error instanceof DataError)) throw error;
      if (error.code.startsWith("hub/")) throw ofBase(error, where);
      if (error.code !== "model/no-folder") throw error;
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

/** What the hub answered about a model that only adapters name: who asked for these has never heard of it. */
function ofBase(error: DataError, where: string): DataError {
  const { code, message, hint } = error;
  return new DataError(
    code,
    `Cannot open the adapters in ${where} without the model that they belong to. ${message}`,
    { hint, cause: error },
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
  for (const { found: over } of adapters) text = await withAdapters(text, over.source);
  return text;
}

/** All folders of a policy, adapters first: they are small, and what is wrong with them shows soon. */
export function foldersOf<F>({ found, model, adapters }: FoundPolicy<F>): { found: F; model: string }[] {
  return [...adapters.toReversed(), { found, model }];
}

/** Bytes that each of a policy's folders has on the hub, in the order of `foldersOf`. */
export const hubSizes = (policy: FoundPolicy<FoundModel>): number[] =>
  foldersOf(policy).map(({ found: { from } }) => (typeof from === "string" ? 0 : from.bytes));

/** Downloads what of a policy lies on the hub, told of as one. @throws DataError `hub/*`, `runs/disk-full` */
export async function bringPolicy(
  policy: FoundPolicy<FoundModel>,
  { access = {} }: Places,
  { signal, onProgress }: OpenModelOptions,
): Promise<FoundPolicy<{ source: ModelSource }>> {
  const sizes = hubSizes(policy);
  const brought: { found: { source: ModelSource }; model: string }[] = [];
  for (const [at, { found, model }] of foldersOf(policy).entries()) {
    const { source, from } = found;
    const progress = onProgress && partOf(onProgress, sizes, at);
    const here =
      typeof from === "string"
        ? source
        : await downloadModel(from.hub, from.revision, access, { signal, onProgress: progress });
    brought.push({ found: { source: here }, model });
  }
  const base = brought.pop() as (typeof brought)[number];
  return { ...base, adapters: brought.reverse() };
}

/** Opens what a recipe's `model` names, downloaded first where it lies on the hub. @throws DataError */
export async function openPolicy(
  model: string,
  places: Places,
  options: OpenModelOptions = {},
): Promise<ModelText> {
  const { signal } = options;
  const policy = await findPolicy(model, (name) => findModel(name, { ...places, signal }));
  return policyText(await bringPolicy(policy, places, options));
}
