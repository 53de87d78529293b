/** The problems of a recipe's data file, as a page reads them: by address, or from the hub and then kept. */
import { readDataName } from "../../config/data_name.ts";
import type { Recipe } from "../../config/schema.ts";
import { readProblems, rowOptions } from "../../data/problems.ts";
import type { Problem } from "../../rollout.ts";
import { HUB_FOLDER } from "./downloads.ts";
import { fetchDataFile, type Places } from "./recipes.ts";

async function readContent(
  file: string,
  places: Pick<Places, "base" | "access">,
): Promise<Blob | Uint8Array> {
  const named = readDataName(file);
  if (named.kind === "file") return fetchDataFile(file, places);
  const [{ fetchDatasetFile }, { openOpfsStore }] = await Promise.all([
    import("../../data/hub/datasets.ts"),
    import("../../data/file_store_opfs.ts"),
  ]);
  const { hubUrl, token } = places.access ?? {};
  return (await fetchDatasetFile(openOpfsStore(HUB_FOLDER), named, { hubUrl, token })).content;
}

/** @throws DataError `data/*`, `hub/*`, ConfigError */
export async function readPageProblems(
  settings: NonNullable<Recipe["data"]>,
  places: Pick<Places, "base" | "access">,
): Promise<Problem[]> {
  const content = await readContent(settings.file, places);
  return (await readProblems(content, rowOptions(settings))).problems;
}
