/**
 * Where a model's files come from (a folder, an address, memory) and how a Hugging Face folder becomes a config and f32
 * tensors. The command line, the page and the workers call it. Browser-safe: the disk is imported only when asked for.
 */
import { DataError } from "../errors.ts";
import { type ModelConfig, parseEosIds, parseModelConfig, tensorNames } from "../model/config.ts";
import { parseSafetensors, type SafetensorsFile, toFloat32 } from "../model/safetensors.ts";

export interface ModelSource {
  /** Named in errors. */
  readonly where: string;
  /** The file's bytes, or null if there is none of that name. */
  read(name: string): Promise<Uint8Array | null>;
  /** Names of the files; of an address, those read so far. */
  list(): Promise<string[]>;
}

export interface ModelTensor {
  shape: number[];
  data: Float32Array;
}

export interface ModelFiles {
  /** With the end-of-sequence ids of `generation_config.json` where it has some. */
  config: ModelConfig;
  /** By Hugging Face name: exactly those of `tensorNames(config)`. */
  tensors: Map<string, ModelTensor>;
  tokenizerJson?: unknown;
  tokenizerConfig?: Record<string, unknown>;
  generationConfig?: Record<string, unknown>;
  /** Jinja source. */
  chatTemplate?: string;
}

/**
 * Opens a folder on disk (Deno and Node).
 * @throws DataError `model/no-folder` if there is none at that path
 */
export async function openModelFolder(path: string): Promise<ModelSource> {
  const { readFile, readdir } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const list = async () => (await readdir(path)).sort();
  try {
    await list();
  } catch (cause) {
    throw new DataError("model/no-folder", `Cannot open the model folder ${path}: no such readable folder`, {
      hint: "Name a folder that holds config.json and model.safetensors",
      cause,
    });
  }
  const read = async (name: string) => {
    try {
      const bytes = await readFile(join(path, name));
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (cause) {
      if ((cause as { code?: string }).code === "ENOENT") return null;
      throw new DataError("model/unreadable", `Cannot read ${name} in ${path}: ${(cause as Error).message}`, {
        hint: "Check the file's permissions and size",
        cause,
      });
    }
  };
  return { where: path, read, list };
}

/** Opens a folder by its address; the web server need not list it. */
export function openModelUrl(address: string): ModelSource {
  const base = address.endsWith("/") ? address : `${address}/`;
  const known = new Set<string>();
  const read = async (name: string) => {
    const response = await fetch(base + name);
    // A development server answers unknown paths with its page.
    const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
    if (response.status === 404 || (response.ok && isPage)) return null;
    if (!response.ok) {
      throw new DataError(
        "model/unreadable",
        `Cannot fetch ${base}${name}: the server answered ${response.status}`,
        {
          hint: "Try again, or download the model and name its folder",
        },
      );
    }
    known.add(name);
    return new Uint8Array(await response.arrayBuffer());
  };
  return { where: address, read, list: async () => [...known].sort() };
}

/** Serves files from memory, for example a checkpoint that came over a port. */
export function openModelMemory(files: Record<string, Uint8Array>, where = "memory"): ModelSource {
  return {
    where,
    read: async (name) => (Object.hasOwn(files, name) ? files[name] : null),
    list: async () => Object.keys(files).sort(),
  };
}

async function readJson(source: ModelSource, name: string): Promise<Record<string, unknown> | undefined> {
  const bytes = await source.read(name);
  if (bytes === null) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DataError("model/bad-json", `Cannot read ${name} in ${source.where}: it is not JSON`, {
      hint: "Fetch or copy the file again",
      cause,
    });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new DataError("model/bad-json", `Cannot read ${name} in ${source.where}: a JSON object is needed`);
  }
  return json as Record<string, unknown>;
}

/**
 * Reads and checks `config.json` alone, for a preflight before any weights are loaded.
 * @throws DataError for a missing or unusable config
 */
export async function loadModelConfig(source: ModelSource): Promise<ModelConfig> {
  const raw = await readJson(source, "config.json");
  if (raw === undefined) {
    throw new DataError(
      "model/missing-file",
      `Cannot load a model from ${source.where}: config.json is missing`,
      {
        hint: "Name a folder in the Hugging Face layout",
      },
    );
  }
  const config = parseModelConfig(raw);
  const generation = await readJson(source, "generation_config.json");
  const eosIds = generation === undefined ? [] : parseEosIds(generation, config.vocabSize);
  return eosIds.length > 0 ? { ...config, eosIds } : config;
}

async function readWeightFile(source: ModelSource, file: string): Promise<SafetensorsFile> {
  const bytes = await source.read(file);
  if (bytes === null) {
    const found = (await source.list()).filter((name) => name.endsWith(".safetensors"));
    const shown = found.length > 0 ? `found ${found.join(", ")}` : "found no safetensors file";
    throw new DataError(
      "model/missing-file",
      `Cannot load a model from ${source.where}: ${file} is missing, ${shown}`,
      {
        hint: "Fetch the missing file; weights in .bin or .gguf files are not read",
      },
    );
  }
  try {
    return parseSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(error.code, `${error.message} (${file} in ${source.where})`, {
      hint: error.hint,
      cause: error,
    });
  }
}

/** Each weight file with the tensors the index expects in it (null: whatever it holds). */
async function weightFiles(source: ModelSource): Promise<Map<string, Set<string> | null>> {
  const indexName = "model.safetensors.index.json";
  const index = await readJson(source, indexName);
  if (index === undefined) return new Map([["model.safetensors", null]]);
  const files = new Map<string, Set<string> | null>();
  const refuse = (what: string) =>
    new DataError("model/bad-index", `Cannot use ${indexName} in ${source.where}: ${what}`, {
      hint: "Fetch the index again",
    });
  if (typeof index.weight_map !== "object" || index.weight_map === null) throw refuse("it has no weight_map");
  for (const [tensor, file] of Object.entries(index.weight_map)) {
    if (typeof file !== "string" || !/^[\w.-]+\.safetensors$/.test(file)) {
      throw refuse(`tensor ${tensor} lies in ${JSON.stringify(file)}, a .safetensors file name is needed`);
    }
    files.set(file, (files.get(file) ?? new Set()).add(tensor));
  }
  return files;
}

function sample(names: string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return names.slice(0, 3).join(", ") + more;
}

async function loadTensors(source: ModelSource, config: ModelConfig): Promise<Map<string, ModelTensor>> {
  const expected = new Map(tensorNames(config).map(({ name, shape }) => [name, shape]));
  const found = new Map<string, ModelTensor>();
  const extra: string[] = [];
  for (const [file, promised] of await weightFiles(source)) {
    const { tensors } = await readWeightFile(source, file);
    const absent = [...(promised ?? [])].filter((name) => !tensors.has(name));
    if (absent.length > 0) {
      throw new DataError(
        "model/missing-tensor",
        `Cannot load ${file} of ${source.where}: the index promises ${sample(absent)} in it`,
        {
          hint: "Fetch the index and all its files from the same revision",
        },
      );
    }
    for (const [name, tensor] of tensors) {
      const shape = expected.get(name);
      if (shape === undefined) {
        // A tied head is the embedding; older exports carry the rotary table, which is recomputed.
        const harmless =
          (name === "lm_head.weight" && config.tiedHead) || name.endsWith("rotary_emb.inv_freq");
        if (!harmless) extra.push(name);
        continue;
      }
      if (shape.join() !== tensor.shape.join()) {
        throw new DataError(
          "model/wrong-shape",
          `Cannot load tensor ${name} from ${file}: its shape is [${tensor.shape.join(", ")}], config.json needs [${shape.join(", ")}]`,
          { hint: "Use the config.json that belongs to these weights" },
        );
      }
      found.set(name, { shape, data: toFloat32(tensor) });
    }
  }
  const missing = [...expected.keys()].filter((name) => !found.has(name));
  if (missing.length > 0) {
    const shown = extra.length > 0 ? `; it holds ${sample(extra)} instead` : "";
    throw new DataError(
      "model/missing-tensor",
      `Cannot load the model from ${source.where}: ${sample(missing)} missing${shown}`,
      { hint: "Use the config.json that belongs to these weights" },
    );
  }
  if (extra.length > 0) {
    throw new DataError(
      "model/extra-tensor",
      `Cannot load the model from ${source.where}: its architecture has no place for ${sample(extra)}`,
      { hint: "Use the config.json that belongs to these weights; merge adapters into them first" },
    );
  }
  return new Map([...expected.keys()].map((name) => [name, found.get(name) as ModelTensor]));
}

/** One template, or the one called "default" of several. */
function templateText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as { name?: unknown; template?: unknown }[];
  const chosen = (named.find((entry) => entry?.name === "default") ?? named[0])?.template;
  return typeof chosen === "string" ? chosen : undefined;
}

/**
 * Loads a model in the Hugging Face layout: config, weights in f32 (one file or shards with an index), and the text
 * files where they exist.
 * @throws DataError for missing, damaged, extra or wrong-shaped parts
 */
export async function loadModelFiles(source: ModelSource): Promise<ModelFiles> {
  const config = await loadModelConfig(source);
  const tokenizerConfig = await readJson(source, "tokenizer_config.json");
  const template = await source.read("chat_template.jinja");
  const chatTemplate =
    template === null ? templateText(tokenizerConfig?.chat_template) : new TextDecoder().decode(template);
  return {
    config,
    tensors: await loadTensors(source, config),
    tokenizerJson: await readJson(source, "tokenizer.json"),
    tokenizerConfig,
    generationConfig: await readJson(source, "generation_config.json"),
    chatTemplate,
  };
}
