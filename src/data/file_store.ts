/**
 * A place for files too large to hold in memory: written and read at any offset, on disk or in the browser's private file
 * system. Paths are relative to the store's root, with `/` between names.
 */

export interface StoredFile {
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** Fewer bytes than asked for at the file's end. */
  read(at: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  size(): Promise<number>;
  /** Makes what was written outlive a crash. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface StoredName {
  name: string;
  isFolder: boolean;
}

export interface FileStore {
  /** A folder on disk, or one of the origin-private file system: what another thread opens by its path. */
  readonly kind: "disk" | "opfs";
  /** The root's path, named in errors. */
  readonly where: string;
  /** To be read, or written with `create`; null where there is no such file and `create` is not set. */
  open(path: string, options?: { create?: boolean }): Promise<StoredFile | null>;
  list(path: string): Promise<StoredName[]>;
  /** Bytes of a file; null where there is none. */
  sizeOf(path: string): Promise<number | null>;
  /** Moves a file over whatever is at the new path. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all in it; silent if there is none. */
  remove(path: string): Promise<void>;
}

/** A whole small file as text, or null. */
export async function readText(store: FileStore, path: string): Promise<string | null> {
  const file = await store.open(path);
  if (file === null) return null;
  try {
    return new TextDecoder().decode(await file.read(0, await file.size()));
  } finally {
    await file.close();
  }
}

/** Replaces a small file so that a crash leaves the old text or the new. */
export async function writeText(store: FileStore, path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  await store.remove(beside);
  const file = await store.open(beside, { create: true });
  if (file === null) throw new TypeError(`${store.where} did not make ${beside}`);
  try {
    await file.write(0, new TextEncoder().encode(text));
    await file.flush();
  } finally {
    await file.close();
  }
  await store.move(beside, path);
}
