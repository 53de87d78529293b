/** Run storage on disk, for Deno and Node (`node:` built-ins; the browser never loads this file). */
import { appendFile, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { DataError } from "../errors.ts";
import { pathNames, type RunStorage, storageError } from "./storage.ts";

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

/** Flushes a folder's list of names, so that a rename survives a power cut; some systems cannot and need not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch((error: unknown) => {
    if (["EISDIR", "EPERM", "EACCES", "EINVAL"].includes(codeOf(error))) return null;
    throw error;
  });
  if (folder === null) return;
  try {
    await folder.sync();
  } catch (error) {
    if (!["EINVAL", "EPERM", "EBADF", "ENOTSUP"].includes(codeOf(error))) throw error;
  } finally {
    await folder.close();
  }
}

/** Answers `absent` where there is no such file or folder; other errors pass. */
export const unlessAbsent =
  <T>(absent: T) =>
  (error: unknown): T => {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error))) return absent;
    throw error;
  };

/** Paths below a folder, and attempts at them whose failures are named: `runs/disk-full`, `runs/read-only`, `runs/io`. */
export function belowFolder(root: string) {
  const full = (path: string) => [root, ...pathNames(path)].join(sep);
  const attempt = async <T>(
    what: string,
    path: string,
    action: (target: string) => Promise<T>,
  ): Promise<T> => {
    const target = full(path);
    try {
      return await action(target);
    } catch (cause) {
      throw storageError(`${what} ${target}`, cause);
    }
  };
  return { full, attempt };
}

/**
 * Opens a folder as run storage; it is made with the first write.
 * @throws DataError from every method: `runs/disk-full`, `runs/read-only`, `runs/io`
 */
export function openDiskStorage(root: string): RunStorage {
  const { full, attempt } = belowFolder(root);

  const writeFile = (path: string, bytes: Uint8Array) =>
    attempt("write", path, async (target) => {
      const folder = dirname(target);
      await mkdir(folder, { recursive: true });
      const part = `${target}.part`;
      try {
        const file = await open(part, "w");
        try {
          let written = 0;
          while (written < bytes.byteLength) {
            written += (await file.write(bytes, written, bytes.byteLength - written)).bytesWritten;
          }
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(part, target);
        await syncFolder(folder);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    });

  return {
    where: root,
    renamesFolders: true,
    writeFile,
    append: (path, text) =>
      attempt("append to", path, async (target) => {
        await mkdir(dirname(target), { recursive: true });
        await appendFile(target, text);
      }),
    read: (path) =>
      attempt("read", path, async (target) => {
        const bytes = await readFile(target).catch(unlessAbsent(null));
        return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      }),
    list: (path) =>
      attempt("list", path, async (target) => (await readdir(target).catch(unlessAbsent([]))).sort()),
    remove: (path) => attempt("remove", path, (target) => rm(target, { recursive: true, force: true })),
    rename: (from, to) =>
      attempt("rename", from, async (target) => {
        const goal = full(to);
        await rename(target, goal);
        await syncFolder(dirname(goal));
      }),
    exists: (path) =>
      attempt("look at", path, (target) =>
        stat(target)
          .then(() => true)
          .catch(unlessAbsent(false)),
      ),
  };
}

/**
 * Makes a folder for a model, if there is none, and tries to write there: for what is saved only after long work.
 * @throws DataError `runs/exists` for a run's checkpoint, which other files would spoil, else as `openDiskStorage`
 */
export async function checkModelFolder(folder: string): Promise<void> {
  const storage = openDiskStorage(folder);
  if (await storage.exists("state.json")) {
    throw new DataError("runs/exists", `Cannot write a model to ${folder}: a run's checkpoint lies there`, {
      hint: "Name another folder with --out",
    });
  }
  await storage.writeFile("webgrpo.trial", new Uint8Array(1));
  await storage.remove("webgrpo.trial");
}

/** Names of the runs in a folder, sorted. */
export async function listRuns(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const isRun = await Promise.all(
    names.map((name) =>
      stat(join(folder, name, "recipe.json")).then(
        () => true,
        () => false,
      ),
    ),
  );
  return names.filter((_, index) => isRun[index]).sort();
}
