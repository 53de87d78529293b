/**
 * Where a model's files lie: a folder on disk, an address, files that a page was given, memory. A source reads whole files
 * and parts of them, and its handle opens the same source again in another thread. Browser-safe: the disk is imported
 * only when asked for.
 */
import { DataError } from "../errors.ts";
import { openModelUrl } from "./model_source_url.ts";

/** What reads whole files by name; enough for `loadModelFiles`. */
export interface ModelReader {
  /** Named in errors. */
  readonly where: string;
  /** The file's bytes, or null if there is none of that name. */
  read(name: string): Promise<Uint8Array | null>;
  /** Names of the files; of an address, those read so far. */
  list(): Promise<string[]>;
}

export interface ModelSource extends ModelReader {
  /** Bytes of the file, or null if there is none of that name. */
  size(name: string): Promise<number | null>;
  /**
   * Bytes from `at` on, fewer than `length` only at the file's end; null if there is none of that name. Reads no more of
   * the file than that where the place allows it. The bytes may lie in `room`, which spares memory where many parts are
   * read, or be a view of the source's own: do not write to them.
   */
  readRange(name: string, at: number, length: number, room?: Uint8Array): Promise<Uint8Array | null>;
  /** Opens the same source in another thread, by `reopenModelSource`. */
  readonly handle: ModelHandle;
}

/** A source as plain values that can be posted to another thread; only the files of `memory` are copied by that. */
export type ModelHandle =
  | { kind: "folder"; where: string; path: string; hidden: string[] }
  | { kind: "address"; address: string }
  | { kind: "blobs"; where: string; files: Record<string, Blob> }
  | { kind: "memory"; where: string; files: Record<string, Uint8Array> };

/** @throws DataError `model/no-folder` where a folder is gone */
export async function reopenModelSource(handle: ModelHandle): Promise<ModelSource> {
  switch (handle.kind) {
    case "folder":
      return openModelFolder(handle.path, handle);
    case "address":
      return openModelUrl(handle.address);
    case "blobs":
      return openModelBlobs(handle.files, handle.where);
    case "memory":
      return openModelMemory(handle.files, handle.where);
  }
}

const unreadable = (name: string, where: string, cause: unknown) =>
  new DataError("model/unreadable", `Cannot read ${name} in ${where}: ${(cause as Error).message}`, {
    hint: "Check that the file is still there, its permissions and its size",
    cause,
  });

export interface FolderOptions {
  /** Named in errors; the path by default. */
  where?: string;
  /** Files that are not the model's. */
  hidden?: readonly string[];
}

/**
 * Opens a folder on disk (Deno and Node).
 * @throws DataError `model/no-folder` if there is none at that path
 */
export async function openModelFolder(
  path: string,
  { where = path, hidden = [] }: FolderOptions = {},
): Promise<ModelSource> {
  const { open, readFile, readdir, stat } = await import("node:fs/promises");
  const { join, resolve } = await import("node:path");
  const list = async () => (await readdir(path)).filter((name) => !hidden.includes(name)).sort();
  try {
    await list();
  } catch (cause) {
    throw new DataError("model/no-folder", `Cannot open the model folder ${path}: no such readable folder`, {
      hint: "Name a folder that holds config.json and model.safetensors",
      cause,
    });
  }
  const attempt = async <T>(name: string, action: (file: string) => Promise<T>): Promise<T | null> => {
    try {
      return await action(join(path, name));
    } catch (cause) {
      if ((cause as { code?: string }).code === "ENOENT") return null;
      throw unreadable(name, where, cause);
    }
  };
  return {
    where,
    list,
    read: (name) =>
      attempt(name, async (path) => {
        const bytes = await readFile(path);
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }),
    size: (name) => attempt(name, async (path) => (await stat(path)).size),
    readRange: (name, at, length, room) =>
      attempt(name, async (path) => {
        const file = await open(path, "r");
        try {
          const bytes = room && room.byteLength >= length ? room : new Uint8Array(length);
          let done = 0;
          while (done < length) {
            const { bytesRead } = await file.read(bytes, done, length - done, at + done);
            if (bytesRead === 0) break;
            done += bytesRead;
          }
          return bytes.subarray(0, done);
        } finally {
          await file.close();
        }
      }),
    // Another thread may have another working folder.
    handle: { kind: "folder", where, path: resolve(path), hidden: [...hidden] },
  };
}

/** Files by name: a folder dropped onto a page, or files of the browser's private file system. */
export function openModelBlobs(
  files: Readonly<Record<string, Blob>> | ReadonlyMap<string, Blob>,
  where = "the given files",
): ModelSource {
  const byName = new Map(files instanceof Map ? files : Object.entries(files as Record<string, Blob>));
  const bytesOf = async (name: string, blob: Blob) => {
    try {
      return new Uint8Array(await blob.arrayBuffer());
    } catch (cause) {
      throw unreadable(name, where, cause);
    }
  };
  return {
    where,
    list: async () => [...byName.keys()].sort(),
    async read(name) {
      const blob = byName.get(name);
      return blob ? bytesOf(name, blob) : null;
    },
    size: async (name) => byName.get(name)?.size ?? null,
    async readRange(name, at, length) {
      const blob = byName.get(name);
      return blob ? bytesOf(name, blob.slice(at, at + length)) : null;
    },
    handle: { kind: "blobs", where, files: Object.fromEntries(byName) },
  };
}

/**
 * Opens the folder at a path of the browser's private file system, as it is now; its files are not copied.
 * @throws DataError `model/no-folder`
 */
export async function openModelPrivateFolder(
  path: string,
  { where = path, hidden = [] }: FolderOptions = {},
): Promise<ModelSource> {
  const files = new Map<string, Blob>();
  try {
    let folder = await navigator.storage.getDirectory();
    for (const name of path.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(name);
    for await (const [name, entry] of folder.entries()) {
      if (entry.kind === "file" && !hidden.includes(name))
        files.set(name, await (entry as FileSystemFileHandle).getFile());
    }
  } catch (cause) {
    throw new DataError("model/no-folder", `Cannot open the stored model ${path}: no such readable folder`, {
      hint: "Download or upload the model again",
      cause,
    });
  }
  return openModelBlobs(files, where);
}

/** Serves files from memory, for example a checkpoint that came over a port. */
export function openModelMemory(files: Record<string, Uint8Array>, where = "memory"): ModelSource {
  const find = (name: string) => (Object.hasOwn(files, name) ? files[name] : null);
  return {
    where,
    list: async () => Object.keys(files).sort(),
    read: async (name) => find(name),
    size: async (name) => find(name)?.byteLength ?? null,
    readRange: async (name, at, length) => find(name)?.subarray(at, at + length) ?? null,
    handle: { kind: "memory", where, files },
  };
}

/**
 * Parts of files for what reads whole ones: the file read last is kept, and each is read once when files are read one after
 * the other.
 */
export function wholeFileRanges(reader: ModelReader): Omit<ModelSource, "handle"> {
  let kept: { name: string; bytes: Uint8Array | null } | null = null;
  const bytesOf = async (name: string) => {
    if (kept?.name !== name) {
      // Given up first, so that not two are held.
      kept = null;
      kept = { name, bytes: await reader.read(name) };
    }
    return kept.bytes;
  };
  return {
    where: reader.where,
    read: (name) => reader.read(name),
    list: () => reader.list(),
    size: async (name) => (await bytesOf(name))?.byteLength ?? null,
    readRange: async (name, at, length) => (await bytesOf(name))?.subarray(at, at + length) ?? null,
  };
}
