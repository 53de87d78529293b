/** Large files in the origin-private file system; in dedicated workers only, where files are written in place. */
import { pathNames, storageError } from "../runs/storage.ts";
import type { FileStore, StoredFile, StoredName } from "./file_store.ts";

/** TypeScript's library leaves it out of the page's declarations. */
interface SyncHandle {
  getSize(): number;
  read(bytes: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}
type OpenableFile = FileSystemFileHandle & {
  createSyncAccessHandle(): Promise<SyncHandle>;
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
};

const isAbsent = (error: unknown) =>
  ["NotFoundError", "TypeMismatchError"].includes((error as { name?: string }).name ?? "");

/** Bytes copied at a time where files cannot be moved. */
const COPIED = 8 * 2 ** 20;

/**
 * Opens a folder as a store; it is made with the first file.
 * @throws DataError from every method: `runs/disk-full`, `runs/read-only`, `runs/io`
 */
export function openOpfsStore(root: string): FileStore {
  const attempt = async <T>(what: string, path: string, action: () => Promise<T> | T): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      throw storageError(`${what} ${root}/${path}`, cause);
    }
  };
  const folderAt = async (path: string, create: boolean) => {
    let folder = await navigator.storage.getDirectory();
    for (const name of pathNames(`${root}/${path}`))
      folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  const split = (path: string) => {
    const names = pathNames(path);
    const name = names.pop() ?? "";
    return { folder: names.join("/"), name };
  };
  const handleAt = async (path: string, create: boolean): Promise<OpenableFile | null> => {
    const { folder, name } = split(path);
    try {
      return (await (await folderAt(folder, create)).getFileHandle(name, { create })) as OpenableFile;
    } catch (error) {
      if (isAbsent(error) && !create) return null;
      throw error;
    }
  };
  /** Null also where it goes while it is looked at. */
  const fileAt = async (path: string): Promise<File | null> => {
    try {
      return (await (await handleAt(path, false))?.getFile()) ?? null;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  };
  /** The file as it is now. A handle to write by would be the only one at a time: two who read would lock each other out. */
  const readOnly = (file: File, path: string): StoredFile => ({
    write: () => Promise.reject(new TypeError(`${root}/${path} was opened to be read`)),
    read: (at, length) =>
      attempt("read", path, async () => new Uint8Array(await file.slice(at, at + length).arrayBuffer())),
    size: async () => file.size,
    flush: async () => undefined,
    close: async () => undefined,
  });
  const opened = async (path: string, create: boolean): Promise<StoredFile | null> => {
    if (!create) {
      const found = await fileAt(path);
      return found && readOnly(found, path);
    }
    const handle = (await handleAt(path, true)) as OpenableFile;
    const file = await handle.createSyncAccessHandle();
    return {
      write: (at, bytes) =>
        attempt("write", path, () => {
          for (let done = 0; done < bytes.byteLength; ) {
            const written = file.write(bytes.subarray(done), { at: at + done });
            if (written === 0) throw new DOMException("no byte was written", "QuotaExceededError");
            done += written;
          }
        }),
      read: (at, length) =>
        attempt("read", path, () => {
          const bytes = new Uint8Array(length);
          return bytes.subarray(0, file.read(bytes, { at }));
        }),
      size: async () => file.getSize(),
      flush: () => attempt("save", path, () => file.flush()),
      close: async () => file.close(),
    };
  };
  const remove = async (path: string) => {
    const { folder, name } = split(path);
    try {
      await (await folderAt(folder, false)).removeEntry(name, { recursive: true });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  };
  const copy = async (from: string, to: string) => {
    const source = await opened(from, false);
    const target = await opened(to, true);
    try {
      if (source === null || target === null) throw new DOMException(`no file ${from}`, "NotFoundError");
      const size = await source.size();
      for (let at = 0; at < size; at += COPIED) await target.write(at, await source.read(at, COPIED));
      await target.flush();
    } finally {
      await source?.close();
      await target?.close();
    }
  };
  return {
    kind: "opfs",
    where: root,
    open: (path, { create = false } = {}) => attempt("open", path, () => opened(path, create)),
    list: (path) =>
      attempt("list", path, async () => {
        const names: StoredName[] = [];
        try {
          for await (const [name, handle] of (await folderAt(path, false)).entries())
            names.push({ name, isFolder: handle.kind === "directory" });
        } catch (error) {
          if (!isAbsent(error)) throw error;
        }
        return names.sort((a, b) => (a.name < b.name ? -1 : 1));
      }),
    sizeOf: (path) => attempt("look at", path, async () => (await fileAt(path))?.size ?? null),
    move: (from, to) =>
      attempt("move", from, async () => {
        const handle = await handleAt(from, false);
        await remove(to);
        const { folder, name } = split(to);
        if (handle?.move) await handle.move(await folderAt(folder, true), name);
        else {
          await copy(from, to);
          await remove(from);
        }
      }),
    remove: (path) => attempt("remove", path, () => remove(path)),
  };
}
