/** The problems of a recipe's data file, as a page reads them: by address, or from the hub and then kept. */
import { readDataName } from "../../config/data_name.ts";
import type { Recipe } from "../../config/schema.ts";
import { readProblems, rowOptions } from "../../data/problems.ts";
import { DataError } from "../../errors.ts";
import type { Problem } from "../../rollout.ts";
import type { KeptDataset } from "./api.ts";
import { HUB_FOLDER, type OpenModelOptions } from "./downloads.ts";
import { isElsewhere } from "./own_origin.ts";
import { fetchDataFile, type Places } from "./recipes.ts";

type DataSettings = NonNullable<Recipe["data"]>;
type DataPlaces = Pick<Places, "base" | "access" | "signal">;

/** The store and what reads it: fetched when a data set of the hub is first asked about. */
async function openDatasets() {
  const [datasets, { openOpfsStore }] = await Promise.all([
    import("../../data/hub/datasets.ts"),
    import("../../data/file_store_opfs.ts"),
  ]);
  return { ...datasets, store: openOpfsStore(HUB_FOLDER) };
}

/**
 * The bytes of a data file; one on the hub is downloaded first where it is not here and the hub may be asked.
 * @throws DataError `data/*`, `hub/*`
 */
export async function openDataFile(
  file: string,
  places: DataPlaces,
  options: OpenModelOptions = {},
): Promise<Blob | Uint8Array> {
  const named = readDataName(file);
  if (named.kind === "file") return fetchDataFile(file, places);
  const { fetchDatasetFile, readDatasetFile, store } = await openDatasets();
  const { hubUrl, token, askHub } = places.access ?? {};
  if (askHub === false) {
    const had = await readDatasetFile(store, named);
    if (had) return had.content;
    throw new DataError("hub/not-cached", `Cannot read ${named.path} of ${named.id}: it is not downloaded`, {
      hint: "Train it here: what was downloaded for a run is kept",
    });
  }
  return (await fetchDatasetFile(store, named, { hubUrl, token, ...options })).content;
}

/** @throws DataError `data/*`, `hub/*`, ConfigError */
export async function readPageProblems(settings: DataSettings, places: DataPlaces): Promise<Problem[]> {
  const content = await openDataFile(settings.file, places);
  return (await readProblems(content, rowOptions(settings))).problems;
}

/** Bytes of a data file on the hub that are still to be downloaded; 0: none, null: the hub may not be asked. @throws DataError */
export async function missingDataBytes(
  file: string,
  { access = {}, signal }: DataPlaces,
): Promise<number | null> {
  const named = readDataName(file);
  if (named.kind === "file") return 0;
  const { hasDatasetFile, store } = await openDatasets();
  if (await hasDatasetFile(store, named)) return 0;
  const { hubUrl, token, askHub } = access;
  if (askHub === false) return null;
  const { listDatasetFile } = await import("../../data/hub/listing.ts");
  const ask: typeof fetch = (input, init) => fetch(input, { ...init, signal });
  const options = { hubUrl, token, fetch: ask };
  const { files } = await listDatasetFile(named.id, named.revision, named.path, options);
  return files[0].size;
}

/** Data sets that were downloaded, whole or not. */
export async function listKeptDatasets(): Promise<KeptDataset[]> {
  const { listStoredDatasets, store } = await openDatasets();
  return listStoredDatasets(store);
}

/** @throws DataError `hub/not-cached` */
export async function removeKeptDataset(id: string, what: "all" | "parts"): Promise<void> {
  const { removeCachedDataset, removeDatasetParts, store } = await openDatasets();
  await (what === "all" ? removeCachedDataset(store, id) : removeDatasetParts(store, id));
}

/** Whether problems can be read at once: from here, or a file of this origin. */
export async function problemsAtHand(file: string, places: DataPlaces): Promise<boolean> {
  if (readDataName(file).kind === "hub")
    return (await missingDataBytes(file, { ...places, access: { ...places.access, askHub: false } })) === 0;
  return !isElsewhere(file, places.base);
}
