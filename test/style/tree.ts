/** Lists and reads the project's own files for the style tests. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files below a folder of the project, as paths from its root with forward slashes; none where it is absent. */
export function filesBelow(folder: string, ending: RegExp): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

export const readText = (path: string): string => readFileSync(join(root, path), "utf8");
export const has = (path: string): boolean => existsSync(join(root, path));
/** `shaders/norm/rms_norm.wgsl` → `rms_norm`. */
export const stemOf = (path: string): string => path.replace(/^.*\//, "").replace(/\..*$/, "");

/** Paths that a source file imports relatively, from the project's root. */
export function importsOf(path: string, text = readText(path)): string[] {
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g);
  const folder = new URL(path.replace(/[^/]*$/, ""), "file:///");
  return [...found].map(([, name]) => new URL(name, folder).pathname.slice(1));
}
