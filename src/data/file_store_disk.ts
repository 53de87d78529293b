/** Large files on disk, for Deno and Node; the browser never loads this file. */
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { belowFolder, unlessAbsent } from "../runs/disk.ts";
import type { FileStore, StoredFile } from "./file_store.ts";

/**
 * Opens a folder as a store; it is made with the first file.
 * @throws DataError from every method: `runs/disk-full`, `runs/read-only`, `runs/io`
 */
export function openDiskStore(root: string): FileStore {
  const { full, attempt } = belowFolder(root);
  return {
    kind: "disk",
    where: root,
    open: (path, { create = false } = {}) =>
      attempt("open", path, async (target): Promise<StoredFile | null> => {
        if (create) await mkdir(dirname(target), { recursive: true });
        // "r+" keeps what is there; a file that is not there yet is made first.
        if (create) await (await open(target, "a")).close();
        const file = await open(target, "r+").catch(create ? undefined : unlessAbsent(null));
        if (file === null) return null;
        return {
          write: (at, bytes) =>
            attempt("write", path, async () => {
              for (let done = 0; done < bytes.byteLength; )
                done += (await file.write(bytes, done, bytes.byteLength - done, at + done)).bytesWritten;
            }),
          read: (at, length) =>
            attempt("read", path, async () => {
              const bytes = new Uint8Array(length);
              let done = 0;
              while (done < length) {
                const { bytesRead } = await file.read(bytes, done, length - done, at + done);
                if (bytesRead === 0) break;
                done += bytesRead;
              }
              return bytes.subarray(0, done);
            }),
          size: async () => (await file.stat()).size,
          flush: () => attempt("save", path, () => file.sync()),
          close: () => file.close(),
        };
      }),
    list: (path) =>
      attempt("list", path, async (target) => {
        const entries = await readdir(target, { withFileTypes: true }).catch(unlessAbsent([]));
        return entries
          .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
          .sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    sizeOf: (path) =>
      attempt("look at", path, (target) => stat(target).then(({ size }) => size, unlessAbsent(null))),
    move: (from, to) =>
      attempt("move", from, async (target) => {
        await mkdir(dirname(full(to)), { recursive: true });
        await rename(target, full(to));
      }),
    remove: (path) => attempt("remove", path, (target) => rm(target, { recursive: true, force: true })),
  };
}
