/** A model's small JSON files. */
import { DataError } from "../errors.ts";
import type { ModelReader } from "./model_source.ts";

/** The object in a JSON file; undefined where there is no such file. @throws DataError `model/bad-json` */
export async function readModelJson(
  source: ModelReader,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const bytes = await source.read(name);
  if (bytes === null) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DataError("model/bad-json", `Cannot read ${name} in ${source.where}: it is not JSON`, {
      hint: "Fetch or copy the file again",
      cause,
    });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new DataError("model/bad-json", `Cannot read ${name} in ${source.where}: a JSON object is needed`);
  }
  return json as Record<string, unknown>;
}
