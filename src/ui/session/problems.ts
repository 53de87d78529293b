/** The problems of a recipe's data file, as a page reads them. */
import type { Recipe } from "../../config/schema.ts";
import { readProblems, rowOptions } from "../../data/problems.ts";
import type { Problem } from "../../rollout.ts";
import { fetchDataFile, type Places } from "./recipes.ts";

/** @throws DataError `data/*`, ConfigError */
export async function readPageProblems(
  settings: NonNullable<Recipe["data"]>,
  places: Pick<Places, "base">,
): Promise<Problem[]> {
  const content = await fetchDataFile(settings.file, places);
  return (await readProblems(content, rowOptions(settings))).problems;
}
