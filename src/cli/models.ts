/** Opens whatever a user names as a model: one that ships with the project, a folder, or one on the hub. Deno and Node. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { readModelName } from "../config/model_name.ts";
import { type AdapterBase, adapterBase, withAdapters } from "../data/adapted.ts";
import type { FileStore } from "../data/file_store.ts";
import { openDiskStore } from "../data/file_store_disk.ts";
import { type FetchedModel, fetchModel } from "../data/hub/cache.ts";
import type { HubOptions } from "../data/hub/listing.ts";
import { isLlama2cFile, openLlama2cFile } from "../data/llama2c.ts";
import { loadModelText, type ModelSource, type ModelText, openModelFolder } from "../data/source.ts";
import { DataError } from "../errors.ts";
import { ADAPTER_CONFIG } from "../model/adapters/peft.ts";
import type { CommandContext } from "./command.ts";
import { builtinModels, modelFolder, typedModel } from "./recipes.ts";

const MIB = 2 ** 20;

/** The folder of downloaded models: `WEBGRPO_MODELS`, else the user's cache. */
export function modelsFolder(env: CommandContext["env"], platform: string = process.platform): string {
  if (env.WEBGRPO_MODELS) return resolve(env.WEBGRPO_MODELS);
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "webgrpo", "models");
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "webgrpo", "models");
  const base = platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
  return join(base, "webgrpo", "models");
}

/** Downloaded models on this machine. */
export function openModelStore(env: CommandContext["env"]): FileStore {
  return openDiskStore(modelsFolder(env));
}

/** Where the hub is and who asks, by the variables that the hub's other clients know. */
export function hubOptions(env: CommandContext["env"]): HubOptions {
  return { hubUrl: env.HF_ENDPOINT?.replace(/\/+$/, "") || undefined, token: env.HF_TOKEN || undefined };
}

/** How much of a model to open. */
export interface OpenOptions {
  /** Leaves the weights of a model on the hub where they are. */
  only?: "text";
  /** Told of the bytes that were left there. */
  onMissing?(bytes: number): void;
}

/**
 * The files of a model named `builtin:NAME`, `owner/name`, `owner/name@revision`, or by its folder or llama2.c file; one on
 * the hub is downloaded first, with one bar in MiB, where the cache does not have it.
 * @throws DataError `model/*`, `hub/*`, `runs/*`
 */
export async function openModel(
  model: string,
  context: CommandContext,
  { only, onMissing }: OpenOptions = {},
): Promise<ModelSource> {
  const named = readModelName(typedModel(model, context.cwd));
  if (named.kind === "folder" && isLlama2cFile(named.path)) return openLlama2cFile(named.path);
  if (named.kind !== "hub")
    return openModelFolder(modelFolder(model, context, ["config.json", ADAPTER_CONFIG]));
  const { output, interrupt } = context;
  const mib = (bytes: number) => Math.ceil(bytes / MIB);
  let fetched: FetchedModel;
  try {
    fetched = await fetchModel(openModelStore(context.env), named.id, {
      ...hubOptions(context.env),
      revision: named.revision,
      only,
      signal: interrupt.signal,
      onProgress: ({ phase, doneBytes, totalBytes }) =>
        output.bar.update(mib(doneBytes), mib(totalBytes), `${phase} ${named.id}, MiB`),
    });
  } finally {
    output.bar.clear();
  }
  if (fetched.downloadedBytes > 0) {
    const what = only ? `${named.id} but its weights` : named.id;
    output.note(`Downloaded ${what}: ${mib(fetched.downloadedBytes)} MiB, kept for the next time`);
  }
  onMissing?.(fetched.missingBytes);
  return fetched.source;
}

/** Adapters over adapters that are followed, at most: a folder that names itself would have no end. */
const MOST_ADAPTERS = 8;

/**
 * All of a model but its weights, named as in `openModel`; for a folder of adapters, those over the model that they name.
 * @throws DataError as `openModel`, `adapter/*`
 */
export async function openPolicy(
  model: string,
  context: CommandContext,
  options: OpenOptions = {},
  depth = 0,
): Promise<ModelText> {
  const source = await openModel(model, context, options);
  const base = await adapterBase(source);
  if (!base) return loadModelText(source);
  if (depth === MOST_ADAPTERS) {
    throw new DataError(
      "adapter/no-base",
      `Cannot open the adapters in ${source.where}: after ${depth} folders of adapters there is still no model`,
      { hint: "Check `base_model_name_or_path` in their adapter_config.json." },
    );
  }
  const name = baseName(base, context);
  return withAdapters(await openBase(name, source.where, context, options, depth + 1), source);
}

/** What the adapters' model is called here: a policy of the project is found again where the project has moved. */
function baseName({ baseModel, revision }: AdapterBase, { root }: CommandContext): string {
  if (revision && readModelName(baseModel).kind === "hub") return `${baseModel}@${revision}`;
  const [, builtin] = /[\\/]public[\\/]models[\\/]([\w.-]+)[\\/]?$/.exec(baseModel) ?? [];
  const moved = builtin !== undefined && !existsSync(baseModel) && builtinModels(root).includes(builtin);
  return moved ? `builtin:${builtin}` : baseModel;
}

async function openBase(
  name: string,
  where: string,
  context: CommandContext,
  options: OpenOptions,
  depth: number,
): Promise<ModelText> {
  try {
    return await openPolicy(name, context, options, depth);
  } catch (cause) {
    if (!(cause instanceof DataError && cause.code === "model/no-folder")) throw cause;
    throw new DataError(
      "adapter/no-base",
      `Cannot open the adapters in ${where}: the model that they belong to, ${name}, is not there`,
      {
        hint: `Put it there again, or write where it is now as base_model_name_or_path in ${join(where, ADAPTER_CONFIG)}.`,
        cause,
      },
    );
  }
}
