/** Cases of other projects' verifiers, which lie beside the project; absent in a bare clone. */
import { existsSync, readFileSync } from "node:fs";

const folder = new URL("../../../shared/material/", import.meta.url);

/** Whether the material is there. */
export const hasMaterial = existsSync(folder);

/** One file of the material, as JSON; an empty object where it is absent. */
export function material<T>(path: string): T {
  return hasMaterial ? JSON.parse(readFileSync(new URL(path, folder), "utf8")) : ({} as T);
}
