/** Run storage in the browser's origin-private file system; files are replaced whole when their writer closes. */
import { DataError } from "../errors.ts";
import { pathNames, type RunStorage, storageError } from "./storage.ts";

/** A file below a storage's root. */
export interface StoredFile {
  path: string;
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
}

/** Storage that can tell everything it holds, without reading it. */
export interface ListedStorage extends RunStorage {
  /** All files, sorted by path. */
  files(): Promise<StoredFile[]>;
  /** Paths of what is being written at this moment beside its place, or was when the browser crashed; nothing else lists it. */
  unfinished(): Promise<string[]>;
}

/** In dedicated workers files can be appended to in place. */
interface SyncAccess {
  getSize(): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}
type AppendableFile = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncAccess> };

/** What helps in a page, where there are no flags. */
const pageHints: Record<string, string> = {
  "runs/disk-full":
    "Remove stored runs or free space on the disk, then go on with the run; nothing saved is lost",
  "runs/read-only": "Close other tabs that use this run; in a private window the browser may keep nothing",
  "runs/io": "Reload the page and go on with the stored run",
};

/** Chrome keeps what is being written in such a file beside its target; after a crash it stays. */
const isUnfinished = (name: string) => name.endsWith(".crswap");

function isAbsent(error: unknown): boolean {
  const { name } = error as { name?: unknown };
  return name === "NotFoundError" || name === "TypeMismatchError";
}

/** What is not there, or went while it was looked at, as this value. */
async function unlessAbsent<T, E>(found: Promise<T>, otherwise: E): Promise<T | E> {
  try {
    return await found;
  } catch (error) {
    if (isAbsent(error)) return otherwise;
    throw error;
  }
}

/**
 * Opens a folder of the origin-private file system as run storage; it is made with the first write.
 *
 * Folders cannot be renamed there, so `renamesFolders` is false and `rename` moves files alone.
 * @throws DataError from every method: `runs/disk-full`, `runs/read-only`, `runs/io`
 */
export function openOpfsStorage(root: string): ListedStorage {
  const attempt = async <T>(what: string, path: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      const { code, message, cause: found } = storageError(`${what} ${root}/${path}`, cause);
      throw new DataError(code, message, { hint: pageHints[code], cause: found });
    }
  };
  const folderFrom = async (names: string[], create: boolean) => {
    let folder = await navigator.storage.getDirectory();
    for (const name of names) folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  const folderAt = (names: string[], create: boolean) => folderFrom([...pathNames(root), ...names], create);
  const split = (path: string): [string[], string] => {
    const names = pathNames(path);
    return [names, names.pop() ?? ""];
  };
  const fileAt = async (path: string, create: boolean): Promise<AppendableFile> => {
    const [names, name] = split(path);
    return (await folderAt(names, create)).getFileHandle(name, { create });
  };
  const readBytes = async (path: string): Promise<Uint8Array<ArrayBuffer> | null> => {
    const read = async () => {
      const file = await (await fileAt(path, false)).getFile();
      return new Uint8Array(await file.arrayBuffer());
    };
    return unlessAbsent(read(), null);
  };
  const writeBytes = async (path: string, bytes: Uint8Array) => {
    const writer = await (await fileAt(path, true)).createWritable();
    // Writers refuse shared memory.
    const own = bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice();
    try {
      await writer.write(own);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await writer.close();
  };
  const removeEntry = async (path: string) => {
    // Seen from the origin's folder, so that the storage itself can go too.
    const names = [...pathNames(root), ...pathNames(path)];
    const name = names.pop() ?? "";
    const remove = async () => (await folderFrom(names, false)).removeEntry(name, { recursive: true });
    await unlessAbsent(remove(), undefined);
  };
  const appendText = async (path: string, text: string) => {
    const file = await fileAt(path, true);
    const bytes = new TextEncoder().encode(text);
    if (file.createSyncAccessHandle) {
      const access = await file.createSyncAccessHandle();
      try {
        access.write(bytes, { at: access.getSize() });
        access.flush();
      } finally {
        access.close();
      }
      return;
    }
    const { size } = await file.getFile();
    const writer = await file.createWritable({ keepExistingData: true });
    await writer.write({ type: "write", position: size, data: bytes });
    await writer.close();
  };
  const names = async (path: string): Promise<string[]> => {
    const found: string[] = [];
    const look = async () => {
      for await (const name of (await folderAt(pathNames(path), false)).keys())
        if (!isUnfinished(name)) found.push(name);
    };
    await unlessAbsent(look(), undefined);
    return found.sort();
  };
  /** A run that trains makes and removes files all the while: one that goes hides no other. */
  const filesBelow = async (
    folder: FileSystemDirectoryHandle,
    prefix: string,
    wanted: (name: string) => boolean,
  ): Promise<StoredFile[]> => {
    const found: StoredFile[] = [];
    for await (const [name, entry] of folder.entries()) {
      const path = prefix + name;
      if (entry.kind === "directory") {
        const below = filesBelow(entry as FileSystemDirectoryHandle, `${path}/`, wanted);
        found.push(...(await unlessAbsent(below, [])));
      } else if (wanted(name)) {
        const file = await unlessAbsent((entry as FileSystemFileHandle).getFile(), null);
        if (file) found.push({ path, bytes: file.size, modified: file.lastModified });
      }
    }
    return found;
  };
  const allFiles = async (wanted: (name: string) => boolean): Promise<StoredFile[]> => {
    const all = async () => filesBelow(await folderAt([], false), "", wanted);
    const found = await unlessAbsent(all(), []);
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  };
  return {
    where: root,
    renamesFolders: false,
    writeFile: (path, bytes) => attempt("write", path, () => writeBytes(path, bytes)),
    append: (path, text) => attempt("append to", path, () => appendText(path, text)),
    read: (path) => attempt("read", path, () => readBytes(path)),
    list: (path) => attempt("list", path, () => names(path)),
    files: () => attempt("list", "", () => allFiles((name) => !isUnfinished(name))),
    unfinished: () => attempt("list", "", async () => (await allFiles(isUnfinished)).map(({ path }) => path)),
    remove: (path) => attempt("remove", path, () => removeEntry(path)),
    rename: (from, to) =>
      attempt("rename", from, async () => {
        const bytes = await readBytes(from);
        if (bytes === null) throw new Error("only files can be renamed here, and there is none");
        await writeBytes(to, bytes);
        await removeEntry(from);
      }),
    exists: (path) =>
      attempt("look at", path, async () => {
        const [parent, name] = split(path);
        return (await names(parent.join("/"))).includes(name);
      }),
  };
}
