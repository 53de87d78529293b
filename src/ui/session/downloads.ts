/** Models of the hub among the page's private files: brought here once, listed, removed. In workers only. */
import type { ModelSource } from "../../data/source.ts";
import type { DownloadProgress, ModelAccess } from "./api.ts";

/** Folder of downloaded models and data sets among the page's private files. */
export const HUB_FOLDER = "hub";

export interface OpenModelOptions {
  signal?: AbortSignal;
  onProgress?(progress: DownloadProgress): void;
}

/** The store and what reads it: fetched when a model of the hub is first asked about. */
async function openCache() {
  const [cache, { openOpfsStore }] = await Promise.all([
    import("../../data/hub/cache.ts"),
    import("../../data/file_store_opfs.ts"),
  ]);
  return { ...cache, store: openOpfsStore(HUB_FOLDER) };
}

/** A model of the hub from the private files, downloaded into them first where it is not whole. @throws DataError */
export async function downloadModel(
  id: string,
  revision: string,
  { hubUrl, token }: ModelAccess,
  { signal, onProgress }: OpenModelOptions,
): Promise<ModelSource> {
  const { fetchModel, store } = await openCache();
  const { source } = await fetchModel(store, id, {
    revision,
    hubUrl,
    token,
    signal,
    onProgress: onProgress && oneWay(onProgress),
  });
  return source;
}

/** A model that was downloaded whole, or null; nobody is asked for anything. */
export async function openDownload(id: string, revision: string): Promise<ModelSource | null> {
  const { openCached, store } = await openCache();
  return openCached(store, id, revision);
}

/** Files are checked one by one when they have come: to who watches one bar, its bytes never go back. */
export function oneWay(tell: (progress: DownloadProgress) => void): (progress: DownloadProgress) => void {
  let most = 0;
  return ({ phase, doneBytes, totalBytes }) => {
    most = Math.max(most, doneBytes);
    tell({ phase, doneBytes: most, totalBytes });
  };
}

export const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, bytes) => sum + bytes, 0);

/** Progress of the part `at` of a download as that of the whole, where all parts together are of these sizes. */
export function partOf(
  tell: (progress: DownloadProgress) => void,
  sizes: readonly number[],
  at: number,
): (progress: DownloadProgress) => void {
  const before = sumOf(sizes.slice(0, at));
  const totalBytes = sumOf(sizes);
  return ({ phase, doneBytes }) => tell({ phase, doneBytes: before + doneBytes, totalBytes });
}

/** Complete or not. */
export async function listDownloads() {
  const { listCached, store } = await openCache();
  return listCached(store);
}

/** A small file among downloads, by its path there; null where there is none. */
export async function readDownload(path: string): Promise<Uint8Array | null> {
  const { store } = await openCache();
  const file = await store.open(path);
  if (file === null) return null;
  try {
    return await file.read(0, await file.size());
  } finally {
    await file.close();
  }
}

/** @throws DataError `hub/not-cached` */
export async function removeDownload(id: string, commit: string | undefined): Promise<void> {
  const { removeCached, store } = await openCache();
  await removeCached(store, id, commit);
}
