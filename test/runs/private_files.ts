/** The browser's origin-private file system in memory, as far as it is used: `navigator.storage.getDirectory()`. */
import { vi } from "vitest";

const refusal = (name: string, path: string) => new DOMException(`${name}: ${path}`, name);

class FakeFile {
  readonly kind = "file";
  bytes = new Uint8Array();
  /** A writer in place, of which there is one at a time. */
  private held = false;
  private readonly folder: FakeFolder;
  readonly name: string;

  constructor(folder: FakeFolder, name: string) {
    this.folder = folder;
    this.name = name;
  }

  private check(): void {
    if (this.folder.entriesByName.get(this.name) !== this) throw refusal("NotFoundError", this.name);
  }

  async getFile(): Promise<File> {
    this.check();
    return new File([this.bytes], this.name, { lastModified: 1_700_000_000_000 });
  }

  /** Chrome writes beside the file until the writer closes. */
  async createWritable({ keepExistingData = false } = {}) {
    this.check();
    const swap = `${this.name}.crswap`;
    const beside = new FakeFile(this.folder, swap);
    if (keepExistingData) beside.bytes = this.bytes.slice();
    this.folder.entriesByName.set(swap, beside);
    return {
      write: async (chunk: Uint8Array | { position: number; data: Uint8Array }) => {
        if (chunk instanceof Uint8Array) beside.put(beside.bytes.length, chunk);
        else beside.put(chunk.position, chunk.data);
      },
      abort: async () => void this.folder.entriesByName.delete(swap),
      close: async () => {
        this.bytes = beside.bytes;
        this.folder.entriesByName.delete(swap);
      },
    };
  }

  async createSyncAccessHandle() {
    this.check();
    if (this.held) throw refusal("NoModificationAllowedError", this.name);
    this.held = true;
    return {
      getSize: () => this.bytes.length,
      read: (into: Uint8Array, { at }: { at: number }) => {
        const part = this.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (bytes: Uint8Array, { at }: { at: number }) => {
        this.put(at, bytes);
        return bytes.length;
      },
      flush: () => undefined,
      close: () => {
        this.held = false;
      },
    };
  }

  async move(folder: FakeFolder, name: string): Promise<void> {
    this.check();
    const moved = new FakeFile(folder, name);
    moved.bytes = this.bytes;
    folder.entriesByName.set(name, moved);
    this.folder.entriesByName.delete(this.name);
  }

  private put(at: number, bytes: Uint8Array): void {
    const whole = new Uint8Array(Math.max(this.bytes.length, at + bytes.length));
    whole.set(this.bytes);
    whole.set(bytes, at);
    this.bytes = whole;
  }
}

class FakeFolder {
  readonly kind = "directory";
  readonly entriesByName = new Map<string, FakeFolder | FakeFile>();

  private async find<T>(name: string, kind: new (folder: FakeFolder, name: string) => T, create: boolean) {
    const found = this.entriesByName.get(name);
    if (found instanceof kind) return found;
    if (found) throw refusal("TypeMismatchError", name);
    if (!create) throw refusal("NotFoundError", name);
    const made = new kind(this, name);
    this.entriesByName.set(name, made as FakeFolder | FakeFile);
    return made;
  }

  getDirectoryHandle(name: string, { create = false } = {}): Promise<FakeFolder> {
    return this.find(name, FakeFolder, create);
  }

  getFileHandle(name: string, { create = false } = {}): Promise<FakeFile> {
    return this.find(name, FakeFile, create);
  }

  async removeEntry(name: string, { recursive = false } = {}): Promise<void> {
    const found = this.entriesByName.get(name);
    if (!found) throw refusal("NotFoundError", name);
    if (found instanceof FakeFolder && found.entriesByName.size > 0 && !recursive)
      throw refusal("InvalidModificationError", name);
    if (found instanceof FakeFolder) found.forget();
    this.entriesByName.delete(name);
  }

  /** Whoever still has a handle of something below finds nothing there. */
  private forget(): void {
    for (const entry of this.entriesByName.values()) if (entry instanceof FakeFolder) entry.forget();
    this.entriesByName.clear();
  }

  async *entries() {
    for (const entry of [...this.entriesByName]) yield entry;
  }

  async *keys() {
    for (const name of [...this.entriesByName.keys()]) yield name;
  }

  /** Paths of all files. */
  get paths(): string[] {
    return [...this.entriesByName].flatMap(([name, entry]) =>
      entry instanceof FakeFile ? [name] : entry.paths.map((path) => `${name}/${path}`),
    );
  }
}

export interface PrivateFiles {
  /** Paths of all files there are, sorted. */
  paths(): string[];
  /** A file as a browser leaves it that crashes while it is being written. */
  leaveUnfinished(path: string): Promise<void>;
  /** Has something happen when a file is next looked at. */
  onLook(act: () => Promise<void>): void;
}

/** Stands in for the browser's until `vi.unstubAllGlobals()`. */
export function stubPrivateFiles(more: Record<string, unknown> = {}): PrivateFiles {
  const root = new FakeFolder();
  vi.stubGlobal("navigator", { ...more, storage: { getDirectory: async () => root } });
  return {
    paths: () => root.paths.sort(),
    leaveUnfinished: async (path) => {
      const names = path.split("/");
      const name = names.pop() as string;
      let folder = root;
      for (const each of names) folder = await folder.getDirectoryHandle(each, { create: true });
      await (await folder.getFileHandle(name, { create: true })).createWritable();
    },
    onLook: (act) => {
      const spy = vi.spyOn(FakeFile.prototype, "getFile").mockImplementationOnce(async function (
        this: FakeFile,
      ) {
        spy.mockRestore();
        await act();
        return this.getFile();
      });
    },
  };
}
