/**
 * What a run directory needs of a place to store things; implemented on disk and in the browser's private file system.
 * Paths are relative to the storage's root, with `/` between names.
 */
import { DataError } from "../errors.ts";

export interface RunStorage {
  /** Named in errors. */
  readonly where: string;
  /** Whether `rename` moves a folder as a whole, in one step that a crash cannot halve. */
  readonly renamesFolders: boolean;
  /** Writes a whole file durably: afterwards, and after a crash at any moment, it holds the old or the new bytes. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Adds text to a file's end; a crash may lose or cut what was added last. */
  append(path: string, text: string): Promise<void>;
  /** The file's bytes, or null if there is none. */
  read(path: string): Promise<Uint8Array | null>;
  /** Names in a folder, sorted; none if there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Removes a file or a folder with all in it; silent if there is none. */
  remove(path: string): Promise<void>;
  /** Moves a file, or a folder where `renamesFolders`; nothing may be at the new path. */
  rename(from: string, to: string): Promise<void>;
  exists(path: string): Promise<boolean>;
}

const fullNames = ["ENOSPC", "EDQUOT", "QuotaExceededError"];
const readOnlyNames = [
  "EACCES",
  "EPERM",
  "EROFS",
  "NoModificationAllowedError",
  "NotAllowedError",
  "SecurityError",
];

/** What a path meets where a file lies instead of a folder, or a folder instead of a file. */
const wrongPlaceNames = ["ENOTDIR", "EEXIST", "EISDIR", "ENAMETOOLONG", "TypeMismatchError"];

/** Names what a file system refused: `runs/disk-full`, `runs/read-only` or `runs/io`. */
export function storageError(attempt: string, cause: unknown): DataError {
  const { code, name, message } = cause as { code?: unknown; name?: unknown; message?: unknown };
  const found = typeof code === "string" ? code : String(name);
  if (fullNames.includes(found)) {
    return new DataError("runs/disk-full", `Cannot ${attempt}: no space is left (${found})`, {
      hint: "Free some space or choose another place with --out, then go on with --resume; nothing saved is lost",
      cause,
    });
  }
  if (readOnlyNames.includes(found)) {
    return new DataError("runs/read-only", `Cannot ${attempt}: writing there is not allowed (${found})`, {
      hint: "Choose a folder you may write to with --out, or change its permissions",
      cause,
    });
  }
  return new DataError("runs/io", `Cannot ${attempt}: ${String(message ?? cause)}`, {
    hint: wrongPlaceNames.includes(found)
      ? "Name another place with --out: something else lies there"
      : "Check the disk and try again with --resume",
    cause,
  });
}

/**
 * Splits a path into its names.
 * @throws RangeError for a path that leaves the storage's root
 */
export function pathNames(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  if (names.some((name) => name === "." || name === ".."))
    throw new RangeError(`The path ${path} leaves its folder`);
  return names;
}
