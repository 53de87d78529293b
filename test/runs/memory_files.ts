/** What a page keeps, in memory: folders of files as the private file system has them, without renaming of folders. */
import type { ListedStorage } from "../../src/runs/opfs.ts";
import { pathNames } from "../../src/runs/storage.ts";
import type { OpenStorage } from "../../src/runs/stored_runs.ts";

export interface MemoryFiles {
  open: OpenStorage;
  /** Contents by path from the root. */
  files: Map<string, Uint8Array>;
  /** Changes made so far. */
  changes: number;
}

export function memoryFiles(): MemoryFiles {
  const files = new Map<string, Uint8Array>();
  const memory: MemoryFiles = { open: (folder) => openFolder(folder), files, changes: 0 };
  const openFolder = (root: string): ListedStorage => {
    const key = (path: string) => [...pathNames(root), ...pathNames(path)].join("/");
    const under = (path: string) => {
      const at = key(path);
      return [...files.keys()].filter((file) => at === "" || file === at || file.startsWith(`${at}/`)).sort();
    };
    const change = (apply: () => void) => {
      memory.changes++;
      apply();
    };
    return {
      where: root,
      renamesFolders: false,
      writeFile: async (path, bytes) => change(() => files.set(key(path), bytes.slice())),
      append: async (path, text) =>
        change(() => {
          const added = new TextEncoder().encode(text);
          files.set(key(path), Uint8Array.from([...(files.get(key(path)) ?? []), ...added]));
        }),
      read: async (path) => files.get(key(path))?.slice() ?? null,
      list: async (path) => {
        const depth = pathNames(root).length + pathNames(path).length;
        return [...new Set(under(path).map((file) => file.split("/")[depth]))].filter(Boolean).sort();
      },
      files: async () =>
        under("").map((file) => ({
          path: file.slice(key("").length + 1),
          bytes: files.get(file)!.byteLength,
          modified: 1_700_000_000_000 + 1000 * [...files.keys()].indexOf(file),
        })),
      unfinished: async () => [],
      remove: async (path) =>
        change(() => {
          for (const file of under(path)) files.delete(file);
        }),
      rename: async (from, to) =>
        change(() => {
          files.set(key(to), files.get(key(from))!);
          files.delete(key(from));
        }),
      exists: async (path) => under(path).length > 0,
    };
  };
  return memory;
}

/** A model small enough to write down. */
export const TINY_CONFIG = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 8,
  hidden_size: 4,
  intermediate_size: 6,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  tie_word_embeddings: true,
  eos_token_id: 1,
};
