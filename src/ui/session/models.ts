/**
 * Models as a page finds them: `builtin:NAME` and addresses on this origin, `stored:NAME` among uploads, `dropped:NAME` among
 * the folders that were given to the page, and models of the hub, downloaded once when a run asks for one. A plain NAME is
 * an upload or a model of this origin.
 */
import { readModelName } from "../../config/model_name.ts";
import type { HubListing } from "../../data/hub/listing.ts";
import {
  type ModelSource,
  openModelBlobs,
  openModelMemory,
  openModelPrivateFolder,
  openModelUrl,
} from "../../data/source.ts";
import { DataError } from "../../errors.ts";
import { ADAPTER_CONFIG } from "../../model/adapters/peft.ts";
import type { RunStorage } from "../../runs/storage.ts";
import { isStoredModel, MODELS, type OpenStorage } from "../../runs/stored_runs.ts";
import type { ModelAccess } from "./api.ts";
import { openDownload } from "./downloads.ts";
import { isElsewhere } from "./own_origin.ts";
import type { Places } from "./recipes.ts";

/** The hub's public address. */
export const HUB = "https://huggingface.co";

/** A model found, and what it costs to have it. */
export interface FoundModel {
  /** Its text files can be read without downloading the weights. */
  source: ModelSource;
  /** "here": nothing is downloaded; "origin": by address; "hub": `bytes` in all. */
  from: "here" | "origin" | { hub: string; revision: string; bytes: number };
}

const refusal = (model: string, found: string, hint: string) =>
  new DataError("model/no-folder", `Cannot load the model \`${model}\`: ${found}`, { hint });

/** A folder of the page's private files as it is now: its files are read where they lie. @throws DataError */
export async function openStoredFolder(
  storage: RunStorage,
  path: string,
  where: string,
): Promise<ModelSource> {
  // Outside a browser, where tests keep files in memory, there is no private file system to open them in.
  if (globalThis.navigator?.storage) return openModelPrivateFolder(`${storage.where}/${path}`, { where });
  const files: Record<string, Uint8Array> = {};
  for (const name of await storage.list(path))
    files[name] = (await storage.read(`${path}/${name}`)) as Uint8Array;
  return openModelMemory(files, where);
}

async function findStored(name: string, open: OpenStorage): Promise<FoundModel> {
  const storage = open(`${MODELS}/${name}`);
  const where = `stored:${name}`;
  if (await isStoredModel(storage))
    return { source: await openStoredFolder(storage, "", where), from: "here" };
  throw refusal(
    where,
    "there is none of that name here",
    "Upload the zip of its folder, or choose another model",
  );
}

function findDropped(name: string, { dropped = {} }: ModelAccess): FoundModel {
  const where = `dropped:${name}`;
  if (Object.hasOwn(dropped, name)) return { source: openModelBlobs(dropped[name], where), from: "here" };
  throw refusal(
    where,
    "a page has the files of a folder only until it is closed or loaded again",
    `Drop the folder ${name} onto the page again, or choose another model`,
  );
}

/** A folder of this origin, or of another that allows to be read; null where it has none of the files that make a model. */
async function findAddress(
  path: string,
  { base, access }: Pick<Places, "base" | "access">,
  marks: readonly string[] = ["config.json"],
): Promise<FoundModel | null> {
  const folder = path.replace(/\/?$/, "/");
  if (!URL.canParse(folder, base)) return null;
  // Who only informs asks nobody else: a link may name any address.
  if (access?.askHub === false && isElsewhere(folder, base)) return null;
  const source = openModelUrl(new URL(folder, base).href);
  for (const mark of marks) if ((await source.read(mark)) !== null) return { source, from: "origin" };
  return null;
}

async function findOnHub(
  id: string,
  revision: string,
  { access = {}, signal }: Pick<Places, "access" | "signal">,
): Promise<FoundModel> {
  const had = await openDownload(id, revision);
  if (had) return { source: had, from: "here" };
  if (access.askHub === false) {
    throw refusal(id, "it is not downloaded", "Train it here: what was downloaded for a run is kept");
  }
  const { listModel } = await import("../../data/hub/listing.ts");
  const ask: typeof fetch = (input, init) => fetch(input, { ...init, signal });
  const listing = await listModel(id, revision, { ...access, fetch: ask });
  const bytes = listing.files.reduce((sum, { size }) => sum + size, 0);
  return { source: await describedOnHub(listing, access, ask), from: { hub: id, revision, bytes } };
}

/** The model's description by itself: what is wrong with a model is told before it is downloaded. */
async function describedOnHub(
  { id, commit, files }: HubListing,
  access: ModelAccess,
  ask: typeof fetch,
): Promise<ModelSource> {
  const { hubUrl = HUB, token } = access;
  const { hubError } = await import("../../data/hub/listing.ts");
  const read: Record<string, Uint8Array> = {};
  for (const name of ["config.json", "generation_config.json", ADAPTER_CONFIG]) {
    if (!files.some(({ path }) => path === name)) continue;
    const headers: HeadersInit = token ? { Authorization: `Bearer ${token}` } : {};
    try {
      const response = await ask(`${hubUrl}/${id}/resolve/${commit}/${name}`, { headers });
      if (!response.ok) throw Object.assign(new Error("no such answer"), { status: response.status });
      read[name] = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw hubError(`read ${name} of ${id}`, cause, access);
    }
  }
  return openModelMemory(read, `${id} at ${commit.slice(0, 12)}`);
}

/** Finds a model without downloading its weights. @throws DataError `model/no-folder`, `hub/*` */
export async function findModel(model: string, places: Places): Promise<FoundModel> {
  const { open, access = {} } = places;
  const [, kind, name = ""] = /^(stored|dropped):(.+)$/.exec(model) ?? [];
  if (kind === "stored") return findStored(name, open);
  if (kind === "dropped") return findDropped(name, access);
  if (model === "") {
    throw refusal(
      model,
      "the recipe names none",
      "Upload a model made for this task and choose it, or take a recipe that names one",
    );
  }
  const named = readModelName(model);
  if (named.kind === "builtin") {
    const found = await findAddress(`models/${named.name}`, places);
    if (found) return found;
    throw refusal(model, "this page comes with no policy of that name", "Choose `builtin:chain-sum`");
  }
  if (named.kind === "hub") {
    // As the command line looks for a folder of that name first.
    return (await findAddress(named.id, places)) ?? findOnHub(named.id, named.revision, places);
  }
  const { path } = named;
  const isName = /^[\w.-]+$/.test(path);
  if (isName && (await isStoredModel(open(`${MODELS}/${path}`)))) return findStored(path, open);
  const found =
    (isName ? await findAddress(`models/${path}`, places) : null) ??
    (await findAddress(path, places, ["config.json", ADAPTER_CONFIG]));
  if (found) return found;
  throw refusal(
    model,
    "no config.json was found there",
    "Name a folder in Hugging Face layout (config.json, model.safetensors, tokenizer.json), or upload its zip",
  );
}
