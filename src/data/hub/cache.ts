/**
 * Models that were downloaded: `OWNER--NAME/COMMIT/` with the files and `model.json`, written last, which says what is
 * there. A revision that is complete is never asked for again.
 */
import { DataError } from "../../errors.ts";
import { type FileStore, readText, writeText } from "../file_store.ts";
import { type ModelSource, openModelFolder, openModelPrivateFolder } from "../model_source.ts";
import { type DownloadOptions, downloadFiles } from "./download.ts";
import { type HubFile, type HubListing, listModel } from "./listing.ts";

const MANIFEST = "model.json";

export interface CachedModel {
  id: string;
  revision: string;
  commit: string;
  bytes: number;
  /** False: an attempt was cut; asking for the model goes on with it. */
  complete: boolean;
  /** Nothing of its weights is there: only what tells whether it would fit was fetched. */
  textOnly: boolean;
  /** Below the store's root. */
  folder: string;
}

const folderOf = (id: string) => id.replace("/", "--");
/** Adapters are small, and say what they are beside: they count as text. */
const isWeights = (path: string) => /^(?!adapter_).*\.safetensors(\.part)?$/.test(path);

/** Models in the cache, complete or not, by name. */
export async function listCached(store: FileStore): Promise<CachedModel[]> {
  const found: CachedModel[] = [];
  for (const { name, isFolder } of await store.list("")) {
    if (!isFolder || !name.includes("--")) continue;
    for (const { name: commit, isFolder: isCommit } of await store.list(name)) {
      if (!isCommit) continue;
      const folder = `${name}/${commit}`;
      const listing = await readManifest(store, folder);
      let bytes = 0;
      const names = (await store.list(folder)).map((file) => file.name);
      for (const file of names) bytes += (await store.sizeOf(`${folder}/${file}`)) ?? 0;
      found.push({
        id: listing?.id ?? name.replace("--", "/"),
        revision: listing?.revision ?? "",
        commit,
        bytes,
        complete: listing !== null,
        textOnly: listing === null && !names.some(isWeights),
        folder,
      });
    }
  }
  return found;
}

/** Removes all that is there of a model, or of one of its commits; returns the bytes given back. */
export async function removeCached(store: FileStore, id: string, commit?: string): Promise<number> {
  const models = (await listCached(store)).filter(
    (model) => model.id === id && (commit === undefined || model.commit === commit),
  );
  if (models.length === 0) {
    throw new DataError("hub/not-cached", `Cannot remove ${id}: it is not among the downloaded models`, {
      hint: "See which ones are with `npm run models`",
    });
  }
  for (const { folder } of models) {
    // The manifest first: cut short, what is left counts as not complete.
    await store.remove(`${folder}/${MANIFEST}`);
    await store.remove(folder);
  }
  if ((await store.list(folderOf(id))).length === 0) await store.remove(folderOf(id));
  return models.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function readManifest(store: FileStore, folder: string): Promise<HubListing | null> {
  try {
    const text = await readText(store, `${folder}/${MANIFEST}`);
    return text === null ? null : (JSON.parse(text) as HubListing);
  } catch {
    return null;
  }
}

/** A complete model whose files are all there, or null. */
async function findComplete(store: FileStore, id: string, revision: string): Promise<CachedModel | null> {
  const candidates = (await listCached(store)).filter(
    (model) => model.id === id && model.complete && [model.revision, model.commit].includes(revision),
  );
  for (const model of candidates) {
    const listing = await readManifest(store, model.folder);
    const sizes = await Promise.all(
      (listing?.files ?? []).map(({ path }) => store.sizeOf(`${model.folder}/${path}`)),
    );
    if (listing && sizes.every((size, i) => size === listing.files[i].size)) return model;
  }
  return null;
}

/** A model that is here whole, or null; nobody is asked for anything. */
export async function openCached(
  store: FileStore,
  id: string,
  revision: string,
): Promise<ModelSource | null> {
  const had = await findComplete(store, id, revision);
  return had && cachedSource(store, had);
}

export interface FetchOptions extends DownloadOptions {
  revision?: string;
  /** Leaves the weights on the hub: the rest is enough to plan a run. */
  only?: "text";
}

export interface FetchedModel {
  source: ModelSource;
  model: CachedModel;
  /** Bytes fetched now; 0: all was there. */
  downloadedBytes: number;
  /** Bytes of the files that were left on the hub. */
  missingBytes: number;
}

/**
 * A model of the hub as a source of files: from the cache, where it is complete, else downloaded into it first.
 * @throws DataError `hub/*`, `runs/*`
 */
export async function fetchModel(
  store: FileStore,
  id: string,
  { revision = "main", only, ...options }: FetchOptions = {},
): Promise<FetchedModel> {
  const had = await findComplete(store, id, revision);
  if (had) return { source: await cachedSource(store, had), model: had, downloadedBytes: 0, missingBytes: 0 };
  const listing = await listModel(id, revision, options);
  const folder = `${folderOf(id)}/${listing.commit}`;
  const files = only ? listing.files.filter(({ path }) => !isWeights(path)) : listing.files;
  const downloadedBytes = await downloadFiles({ ...listing, files }, store, folder, options);
  if (!only) await writeText(store, `${folder}/${MANIFEST}`, `${JSON.stringify(listing, null, 2)}\n`);
  const missing = only ? await missingFiles(store, folder, listing) : [];
  const model: CachedModel = {
    id,
    revision,
    commit: listing.commit,
    bytes: totalSize(files),
    complete: !only,
    textOnly: only === "text",
    folder,
  };
  const source = await cachedSource(store, model);
  return { source, model, downloadedBytes, missingBytes: totalSize(missing) };
}

const totalSize = (files: readonly HubFile[]) => files.reduce((sum, { size }) => sum + size, 0);

async function missingFiles(store: FileStore, folder: string, { files }: HubListing): Promise<HubFile[]> {
  const sizes = await Promise.all(files.map(({ path }) => store.sizeOf(`${folder}/${path}`)));
  return files.filter(({ size }, i) => sizes[i] !== size);
}

/** Opened by the path of its files, so that other threads read the same ones without a copy. */
function cachedSource(store: FileStore, { folder, id, commit }: CachedModel): Promise<ModelSource> {
  const open = store.kind === "disk" ? openModelFolder : openModelPrivateFolder;
  const where = `${id} at ${commit.slice(0, 12)} (${store.where})`;
  return open(`${store.where}/${folder}`, { where, hidden: [MANIFEST] });
}
