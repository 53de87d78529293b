/** Folders that are dropped onto the page or chosen: found among what was given, never read here. */

/** A file and its path from the folder that was given. */
export interface GivenFile {
  path: string;
  file: File;
}

/** A model's folder among them. */
export interface GivenModel {
  name: string;
  /** By name. */
  files: Record<string, File>;
  bytes: number;
}

/** Folders below the one that was dropped that are looked into. */
const DEEPEST = 3;
/** What the folder's own name may not hold in a recipe's `model`. */
const ODD = /[^\w.-]+/g;

/** All entries of a folder; the browser gives them in portions. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (portion.length === 0) return all;
    all.push(...portion);
  }
}

async function filesOf(entry: FileSystemEntry, depth: number): Promise<GivenFile[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path, file }];
  }
  if (depth > DEEPEST) return [];
  const entries = await entriesOf(entry as FileSystemDirectoryEntry);
  return (await Promise.all(entries.map((each) => filesOf(each, depth + 1)))).flat();
}

/** What was dropped. Entries are taken at once, since the browser forgets them when the event is over. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<GivenFile[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...files].map((file) => ({ path: file.name, file }));
  const folders = entries.filter((entry) => entry !== null);
  if (!folders.some(({ isDirectory }) => isDirectory)) return plain;
  return (await Promise.all(folders.map((entry) => filesOf(entry, 0)))).flat();
}

/** What was chosen by a field for folders. */
export function chosenFiles(files: FileList): GivenFile[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** The outermost folder with a model's or adapters' config, and what lies in it; null where there is none. */
export function givenModel(given: readonly GivenFile[]): GivenModel | null {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
  const [root] = given
    .filter(({ path }) => /^(adapter_)?config\.json$/.test(path.split("/").at(-1) ?? ""))
    .map(({ path }) => folderOf(path))
    .sort((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
  if (root === undefined) return null;
  const own = given.filter(({ path }) => folderOf(path) === root);
  const name = root.split("/").at(-2)?.replace(ODD, "-") || "model";
  return {
    name,
    files: Object.fromEntries(own.map(({ path, file }) => [path.slice(root.length), file])),
    bytes: own.reduce((sum, { file }) => sum + file.size, 0),
  };
}
