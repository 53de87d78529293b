/** Run storage in the browser's origin-private file system; files are replaced whole when their writer closes. */
import { pathNames, type RunStorage, storageError } from "./storage.ts";

/** In dedicated workers files can be appended to in place. */
interface SyncAccess {
  getSize(): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}
type AppendableFile = FileSystemFileHandle & { createSyncAccessHandle?(): Promise<SyncAccess> };

function isAbsent(error: unknown): boolean {
  const { name } = error as { name?: unknown };
  return name === "NotFoundError" || name === "TypeMismatchError";
}

/**
 * Opens a folder of the origin-private file system as run storage; it is made with the first write.
 *
 * Folders cannot be renamed there, so `renamesFolders` is false and `rename` moves files alone.
 * @throws DataError from every method: `runs/disk-full`, `runs/read-only`, `runs/io`
 */
export function openOpfsStorage(root: string): RunStorage {
  const attempt = async <T>(what: string, path: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      throw storageError(`${what} ${root}/${path}`, cause);
    }
  };
  const folderAt = async (names: string[], create: boolean) => {
    let folder = await navigator.storage.getDirectory();
    for (const name of [...pathNames(root), ...names])
      folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  const split = (path: string): [string[], string] => {
    const names = pathNames(path);
    return [names, names.pop() ?? ""];
  };
  const fileAt = async (path: string, create: boolean): Promise<AppendableFile> => {
    const [names, name] = split(path);
    return (await folderAt(names, create)).getFileHandle(name, { create });
  };
  const readBytes = async (path: string): Promise<Uint8Array<ArrayBuffer> | null> => {
    try {
      const file = await (await fileAt(path, false)).getFile();
      return new Uint8Array(await file.arrayBuffer());
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
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
    const [names, name] = split(path);
    try {
      await (await folderAt(names, false)).removeEntry(name, { recursive: true });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
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
    try {
      for await (const name of (await folderAt(pathNames(path), false)).keys()) found.push(name);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    return found.sort();
  };
  return {
    where: root,
    renamesFolders: false,
    writeFile: (path, bytes) => attempt("write", path, () => writeBytes(path, bytes)),
    append: (path, text) => attempt("append to", path, () => appendText(path, text)),
    read: (path) => attempt("read", path, () => readBytes(path)),
    list: (path) => attempt("list", path, () => names(path)),
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
