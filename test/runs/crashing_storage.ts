/**
 * Run storage in memory that can stop at any of its changes, as a killed process does: before it, half-way through what
 * is not atomic (removing a folder), or after it. Disk and private file system differ in whether folders are renamed.
 */
import { pathNames, type RunStorage } from "../../src/runs/storage.ts";

export class Crash extends Error {}

export interface CrashingStorage extends RunStorage {
  /** All files by path. */
  files: Map<string, Uint8Array>;
  /** Changes made so far. */
  changes: number;
  /** The change to stop at, counted from 0, and at which point of it. */
  crashAt: { change: number; when: "before" | "half" | "after" } | null;
  /** Thrown by every write until it is taken away. */
  refusal: Error | null;
}

export function crashingStorage(renamesFolders = true): CrashingStorage {
  const files = new Map<string, Uint8Array>();
  const key = (path: string) => pathNames(path).join("/");
  const under = (path: string) =>
    [...files.keys()].filter((file) => file === path || file.startsWith(`${path}/`));
  let dead = false;
  const change = (apply: (isHalf: boolean) => void) => {
    if (dead) throw new Crash("the process is gone");
    const { crashAt } = storage;
    const number = storage.changes;
    storage.changes += 1;
    if (crashAt?.change !== number) return apply(false);
    dead = true;
    if (crashAt.when !== "before") apply(crashAt.when === "half");
    throw new Crash(`crashed at change ${number}`);
  };
  const storage: CrashingStorage = {
    files,
    changes: 0,
    crashAt: null,
    refusal: null,
    where: "memory",
    renamesFolders,
    writeFile: async (path, bytes) => {
      if (storage.refusal) throw storage.refusal;
      change((isHalf) => files.set(isHalf ? `${key(path)}.part` : key(path), bytes.slice()));
    },
    append: async (path, text) =>
      change((isHalf) => {
        const added = new TextEncoder().encode(isHalf ? text.slice(0, text.length / 2) : text);
        files.set(key(path), Uint8Array.from([...(files.get(key(path)) ?? []), ...added]));
      }),
    read: async (path) => files.get(key(path))?.slice() ?? null,
    list: async (path) => {
      const depth = pathNames(path).length;
      return [...new Set(under(key(path)).map((file) => file.split("/")[depth]))].filter(Boolean).sort();
    },
    remove: async (path) =>
      change((isHalf) => {
        const all = under(key(path));
        for (const file of isHalf ? all.slice(0, Math.ceil(all.length / 2)) : all) files.delete(file);
      }),
    rename: async (from, to) =>
      change((isHalf) => {
        if (under(key(to)).length > 0) throw new Error(`${to} exists`);
        const moved = under(key(from));
        if (moved.length === 0) throw new Error(`${from} does not exist`);
        if (!renamesFolders && moved[0] !== key(from)) throw new Error("folders cannot be renamed here");
        if (isHalf) return;
        for (const file of moved) {
          files.set(key(to) + file.slice(key(from).length), files.get(file)!);
          files.delete(file);
        }
      }),
    exists: async (path) => under(key(path)).length > 0,
  };
  return storage;
}

/** The same files after the process was started anew. */
export function restarted(storage: CrashingStorage): CrashingStorage {
  const fresh = crashingStorage(storage.renamesFolders);
  for (const [path, bytes] of storage.files) fresh.files.set(path, bytes);
  return fresh;
}
