/** What a recipe's `data.file` names: a file of a data set on the hub, or a file by its path or address. */
import { ConfigError } from "../errors.ts";

export type DataName =
  | { kind: "hub"; id: string; revision: string; path: string }
  | { kind: "file"; path: string };

const HUB_PREFIX = "hub:";

/** Whether a name is one of the hub's, well formed or not: then it is no path. */
export function isOnHub(file: string): boolean {
  return file.startsWith(HUB_PREFIX);
}

/**
 * Reads `hub:owner/name[@revision]/path/to/file`, or a path. A revision with `/` in it has `%2F` there.
 * @throws ConfigError `config/bad-value` where what follows `hub:` has another form
 */
export function readDataName(file: string): DataName {
  if (!isOnHub(file)) return { kind: "file", path: file };
  const name = /^([A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*)(?:@([\w.%-]+))?\/(.+)$/.exec(
    file.slice(HUB_PREFIX.length),
  );
  const names = name?.[3].split("/") ?? [""];
  if (!name || names.some((part) => ["", ".", ".."].includes(part))) {
    throw new ConfigError("config/bad-value", `Cannot use \`${file}\` as \`data.file\``, {
      hint: "write hub:owner/name/path/to/file.parquet, with @revision after the name where it is not main",
    });
  }
  const revision = (name[2] ?? "main").replace(/%2F/gi, "/");
  return { kind: "hub", id: name[1], revision, path: name[3] };
}
