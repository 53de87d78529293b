/** Brings what a run needs of the hub into this browser, told of as one download. In workers only. */
import type { NeededDownload } from "./api.ts";
import { type OpenModelOptions, partOf, sumOf } from "./downloads.ts";
import { findModel } from "./models.ts";
import { bringPolicy, findPolicy, hubSizes } from "./policies.ts";
import { missingDataBytes, openDataFile } from "./problems.ts";
import type { Places } from "./recipes.ts";

/** @throws DataError `hub/*`, `runs/disk-full`; what has come stays for the next attempt */
export async function bringHere(
  { model, data }: Pick<NeededDownload, "model" | "data">,
  places: Places,
  { signal, onProgress = () => undefined }: OpenModelOptions,
): Promise<void> {
  const asked = { ...places, signal };
  const policy = await findPolicy(model, (name) => findModel(name, asked));
  const dataBytes = data === undefined ? 0 : ((await missingDataBytes(data, asked)) ?? 0);
  const sizes = [sumOf(hubSizes(policy)), dataBytes];
  await bringPolicy(policy, places, { signal, onProgress: partOf(onProgress, sizes, 0) });
  if (data !== undefined && dataBytes > 0)
    await openDataFile(data, places, { signal, onProgress: partOf(onProgress, sizes, 1) });
}
