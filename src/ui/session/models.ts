/**
 * Models as a page finds them: `builtin:NAME` and addresses on this origin, `stored:NAME` among uploads, and models of the
 * hub, downloaded once when a run asks for one. A plain NAME is an upload or a model of this origin.
 */
import { readModelName } from "../../config/model_name.ts";
import { type ModelSource, openModelUrl } from "../../data/source.ts";
import { DataError } from "../../errors.ts";
import { MODELS, type OpenStorage } from "../../runs/stored_runs.ts";
import type { Places } from "./recipes.ts";

/** Folder of downloaded models and data sets among the page's private files. */
export const HUB_FOLDER = "hub";
const HUB = "https://huggingface.co";

export interface OpenModelOptions {
  signal?: AbortSignal;
  onProgress?(phase: "download" | "verify", doneBytes: number, totalBytes: number): void;
}

/** A model found, and what it costs to have it. */
export interface FoundModel {
  /** Its text files can be read without downloading the weights. */
  source: ModelSource;
  /** "here": nothing is downloaded; "origin": by address; "hub": `bytes` in all. */
  from: "here" | "origin" | { hub: string; revision: string; bytes: number };
}

const refusal = (model: string, found: string, hint: string) =>
  new DataError("model/no-folder", `Cannot load the model \`${model}\`: ${found}`, { hint });

async function findStored(name: string, open: OpenStorage): Promise<FoundModel> {
  const storage = open(`${MODELS}/${name}`);
  if (!(await storage.exists("config.json"))) {
    throw refusal(
      `stored:${name}`,
      "there is none of that name here",
      "Upload the zip of its folder, or choose another model",
    );
  }
  const where = `stored:${name}`;
  return {
    source: { where, read: (file) => storage.read(file), list: () => storage.list("") },
    from: "here",
  };
}

/** A folder of this origin, or of another that allows to be read; null where it has no config.json. */
async function findAddress(path: string, base: string): Promise<FoundModel | null> {
  const source = openModelUrl(new URL(path.replace(/\/?$/, "/"), base).href);
  return (await source.read("config.json")) === null ? null : { source, from: "origin" };
}

async function findOnHub(id: string, revision: string): Promise<FoundModel> {
  const [{ listCached }, { openOpfsStore }] = await hubModules();
  const cached = (await listCached(openOpfsStore(HUB_FOLDER))).find(
    (model) => model.id === id && model.complete && [model.revision, model.commit].includes(revision),
  );
  const source = openModelUrl(`${HUB}/${id}/resolve/${encodeURIComponent(revision)}`);
  if (cached) return { source: await openOnHub(id, revision, {}), from: "here" };
  const { listModel } = await import("../../data/hub/listing.ts");
  const { files } = await listModel(id, revision, {});
  return { source, from: { hub: id, revision, bytes: files.reduce((sum, { size }) => sum + size, 0) } };
}

const hubModules = () =>
  Promise.all([import("../../data/hub/cache.ts"), import("../../data/file_store_opfs.ts")]);

async function openOnHub(id: string, revision: string, { signal, onProgress }: OpenModelOptions) {
  const [{ fetchModel }, { openOpfsStore }] = await hubModules();
  const { source } = await fetchModel(openOpfsStore(HUB_FOLDER), id, {
    revision,
    signal,
    onProgress: ({ phase, doneBytes, totalBytes }) => onProgress?.(phase, doneBytes, totalBytes),
  });
  return source;
}

/** Finds a model without downloading its weights. @throws DataError `model/no-folder`, `hub/*` */
export async function findModel(model: string, { base, open }: Places): Promise<FoundModel> {
  const stored = /^stored:(.+)$/.exec(model)?.[1];
  if (stored !== undefined) return findStored(stored, open);
  if (model === "") {
    throw refusal(
      model,
      "the recipe names none",
      "Upload a model made for this task and choose it, or take a recipe that names one",
    );
  }
  const named = readModelName(model);
  if (named.kind === "builtin") {
    const found = await findAddress(`models/${named.name}`, base);
    if (found) return found;
    throw refusal(model, "this page comes with no policy of that name", "Choose `builtin:chain-sum`");
  }
  if (named.kind === "hub") {
    // As the command line looks for a folder of that name first.
    return (await findAddress(named.id, base)) ?? findOnHub(named.id, named.revision);
  }
  const { path } = named;
  const isName = /^[\w.-]+$/.test(path);
  if (isName && (await open(`${MODELS}/${path}`).exists("config.json"))) return findStored(path, open);
  const found =
    (isName ? await findAddress(`models/${path}`, base) : null) ?? (await findAddress(path, base));
  if (found) return found;
  throw refusal(
    model,
    "no config.json was found there",
    "Name a folder in Hugging Face layout (config.json, model.safetensors, tokenizer.json), or upload its zip",
  );
}

/** Finds a model and downloads it where it lies on the hub. @throws DataError */
export async function openModel(
  model: string,
  places: Places,
  options: OpenModelOptions = {},
): Promise<ModelSource> {
  const { source, from } = await findModel(model, places);
  return typeof from === "string" ? source : openOnHub(from.hub, from.revision, options);
}
