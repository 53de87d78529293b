/**
 * Files of data sets that were downloaded: `datasets/OWNER--NAME/COMMIT/PATH`, and beside the folder `COMMIT.json`, which
 * says what is there. A file of a revision is never asked for twice, and all files of one revision are of one commit.
 */
import { DataError } from "../../errors.ts";
import { type FileStore, readText, writeText } from "../file_store.ts";
import { type DownloadOptions, downloadFiles } from "./download.ts";
import { type HubFile, listDatasetFile } from "./listing.ts";

const ROOT = "datasets";

/** One file of a data set on the hub. */
export interface DatasetFile {
  id: string;
  /** A branch, a tag or a commit. */
  revision: string;
  path: string;
}

interface Manifest {
  id: string;
  commit: string;
  /** That stood for this commit when they were asked for. */
  revisions: string[];
  /** Whole and right. */
  files: HubFile[];
}

export interface CachedDataset extends Manifest {
  bytes: number;
}

const folderOf = (id: string) => `${ROOT}/${id.replace("/", "--")}`;

/** Null where the note is damaged: its files are asked for again, and those that are there are not fetched. */
function parseManifest(text: string | null): Manifest | null {
  try {
    return JSON.parse(text ?? "null") as Manifest | null;
  } catch {
    return null;
  }
}

async function readManifests(store: FileStore, folder: string): Promise<Manifest[]> {
  const names = (await store.list(folder)).filter(
    ({ name, isFolder }) => !isFolder && name.endsWith(".json"),
  );
  const found = await Promise.all(
    names.map(async ({ name }) => parseManifest(await readText(store, `${folder}/${name}`))),
  );
  return found.filter((manifest) => manifest !== null);
}

/** Data sets of which something has been downloaded, by name. */
export async function listCachedDatasets(store: FileStore): Promise<CachedDataset[]> {
  const found: CachedDataset[] = [];
  for (const { name, isFolder } of await store.list(ROOT)) {
    if (!isFolder) continue;
    for (const manifest of await readManifests(store, `${ROOT}/${name}`))
      found.push({ ...manifest, bytes: manifest.files.reduce((sum, { size }) => sum + size, 0) });
  }
  return found;
}

/** What a data set takes up. */
export interface StoredDataset {
  id: string;
  /** Paths of the files that are whole, of all its commits. */
  files: string[];
  /** Also of files that have not come whole. */
  bytes: number;
  /** Of those alone. */
  cutBytes: number;
  /** False: an attempt at a file was cut; asking for it goes on with it. */
  complete: boolean;
}

const isPart = (path: string) => /\.part(\.json(\.new)?)?$/.test(path);

async function filesBelow(store: FileStore, folder: string): Promise<{ path: string; bytes: number }[]> {
  const found = (await store.list(folder)).map(async ({ name, isFolder }) => {
    const path = `${folder}/${name}`;
    return isFolder ? filesBelow(store, path) : [{ path, bytes: (await store.sizeOf(path)) ?? 0 }];
  });
  return (await Promise.all(found)).flat();
}

const bytesOf = (files: readonly { bytes: number }[]) => files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Everything that is there of data sets, whole or not, by name. */
export async function listStoredDatasets(store: FileStore): Promise<StoredDataset[]> {
  const found: StoredDataset[] = [];
  for (const { name, isFolder } of await store.list(ROOT)) {
    const folder = `${ROOT}/${name}`;
    const all = isFolder ? await filesBelow(store, folder) : [];
    if (all.length === 0) continue;
    const manifests = await readManifests(store, folder);
    const parts = all.filter(({ path }) => isPart(path));
    found.push({
      id: manifests[0]?.id ?? name.replace("--", "/"),
      files: [...new Set(manifests.flatMap(({ files }) => files.map(({ path }) => path)))],
      bytes: bytesOf(all),
      cutBytes: bytesOf(parts),
      complete: parts.length === 0,
    });
  }
  return found;
}

/** Removes what has come of a data set's files that are not whole; the others stay. */
export async function removeDatasetParts(store: FileStore, id: string): Promise<void> {
  const folder = folderOf(id);
  for (const { path } of await filesBelow(store, folder)) if (isPart(path)) await store.remove(path);
  if ((await readManifests(store, folder)).length === 0) await store.remove(folder);
}

/** Removes all that is there of a data set; returns the bytes given back. @throws DataError `hub/not-cached` */
export async function removeCachedDataset(store: FileStore, id: string): Promise<number> {
  const files = await filesBelow(store, folderOf(id));
  if (files.length === 0) {
    throw new DataError("hub/not-cached", `Cannot remove ${id}: it is not among the downloaded data sets`, {
      hint: "See which ones are with `npm run models`",
    });
  }
  await store.remove(folderOf(id));
  return bytesOf(files);
}

export interface FetchedFile {
  content: Uint8Array<ArrayBuffer>;
  commit: string;
  /** Bytes fetched now; 0: it was there. */
  downloadedBytes: number;
}

/** Whether a file of a data set has been downloaded whole: `fetchDatasetFile` then asks nobody. */
export async function hasDatasetFile(
  store: FileStore,
  { id, revision, path }: DatasetFile,
): Promise<boolean> {
  const folder = folderOf(id);
  const pinned = await pinnedManifest(store, folder, revision);
  const file = pinned?.files.find((one) => one.path === path);
  if (!pinned || !file) return false;
  return (await store.sizeOf(`${folder}/${pinned.commit}/${path}`)) === file.size;
}

/** What is there of the commit that a revision stood for when it was asked for first. */
async function pinnedManifest(
  store: FileStore,
  folder: string,
  revision: string,
): Promise<Manifest | undefined> {
  return (await readManifests(store, folder)).find(
    ({ commit, revisions }) => commit === revision || revisions.includes(revision),
  );
}

/** A file of a data set that is here whole, or null; nobody is asked for anything. */
export async function readDatasetFile(
  store: FileStore,
  { id, revision, path }: DatasetFile,
): Promise<Pick<FetchedFile, "content" | "commit"> | null> {
  const folder = folderOf(id);
  const pinned = await pinnedManifest(store, folder, revision);
  const had = pinned?.files.find((file) => file.path === path);
  if (!pinned || !had) return null;
  const { commit } = pinned;
  const content = await readWhole(store, `${folder}/${commit}/${path}`, had.size);
  return content && { content, commit };
}

/**
 * A file of a data set: from the cache, or else downloaded into it first.
 * @throws DataError `hub/*`, `runs/*`
 */
export async function fetchDatasetFile(
  store: FileStore,
  { id, revision, path }: DatasetFile,
  options: DownloadOptions = {},
): Promise<FetchedFile> {
  const had = await readDatasetFile(store, { id, revision, path });
  if (had) return { ...had, downloadedBytes: 0 };
  const folder = folderOf(id);
  const pinned = await pinnedManifest(store, folder, revision);
  const listing = await listDatasetFile(id, pinned?.commit ?? revision, path, options);
  const { commit, files } = listing;
  const downloadedBytes = await downloadFiles(listing, store, `${folder}/${commit}`, options);
  const known = (await readManifests(store, folder)).find((manifest) => manifest.commit === commit);
  const manifest: Manifest = {
    id,
    commit,
    revisions: [...new Set([...(known?.revisions ?? []), revision])],
    files: [...(known?.files ?? []).filter((file) => file.path !== path), ...files],
  };
  await writeText(store, `${folder}/${commit}.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  const content = await readWhole(store, `${folder}/${commit}/${path}`, files[0].size);
  if (content) return { content, commit, downloadedBytes };
  throw new DataError("runs/io", `Cannot read ${path} of ${id} in ${store.where}: it is gone`, {
    hint: "Something else changes the folder of downloads; try again",
  });
}

/** A file's bytes, or null where it is not there whole. */
async function readWhole(
  store: FileStore,
  path: string,
  size: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const file = await store.open(path);
  if (file === null) return null;
  try {
    const content = await file.read(0, await file.size());
    return content.byteLength === size ? content : null;
  } finally {
    await file.close();
  }
}
