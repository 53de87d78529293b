/**
 * How a Hugging Face folder becomes a config, text files and f32 tensors. The command line, the page and the workers call it.
 */
import { DataError } from "../errors.ts";
import type { AdapterFiles } from "../model/adapters/peft.ts";
import { type ModelConfig, parseEosIds, parseModelConfig } from "../model/config.ts";
import { readModelJson } from "./model_json.ts";
import { type ModelReader, type ModelSource, wholeFileRanges } from "./model_source.ts";
import { indexTensors, type RangedReader } from "./tensor_index.ts";
import { TensorStreamer } from "./tensor_stream.ts";

export {
  type ModelHandle,
  type ModelReader,
  type ModelSource,
  openModelBlobs,
  openModelFolder,
  openModelMemory,
  openModelPrivateFolder,
  reopenModelSource,
} from "./model_source.ts";
export { openModelUrl } from "./model_source_url.ts";

export interface ModelTensor {
  shape: number[];
  data: Float32Array;
}

/** All of a model but its weights. */
export interface ModelText {
  /** With the end-of-sequence ids of `generation_config.json` where it has some. */
  config: ModelConfig;
  tokenizerJson?: unknown;
  tokenizerConfig?: Record<string, unknown>;
  generationConfig?: Record<string, unknown>;
  /** Jinja source. */
  chatTemplate?: string;
  /** Where its weights can be read again; absent of a model that was made, or read from what cannot be reopened. */
  source?: ModelSource;
  /** Adapters over the weights there, merged one after another as these are read. */
  adapters?: readonly AdapterFiles[];
}

export interface ModelFiles extends ModelText {
  /** By Hugging Face name: exactly those of `tensorNames(config)`. */
  tensors: Map<string, ModelTensor>;
}

/**
 * Reads and checks `config.json` alone, for a preflight before any weights are loaded.
 * @throws DataError for a missing or unusable config
 */
export async function loadModelConfig(source: ModelReader): Promise<ModelConfig> {
  const raw = await readModelJson(source, "config.json");
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
  const generation = await readModelJson(source, "generation_config.json");
  const eosIds = generation === undefined ? [] : parseEosIds(generation, config.vocabSize);
  return eosIds.length > 0 ? { ...config, eosIds } : config;
}

/** One template, or the one called "default" of several. */
function templateText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as { name?: unknown; template?: unknown }[];
  const chosen = (named.find((entry) => entry?.name === "default") ?? named[0])?.template;
  return typeof chosen === "string" ? chosen : undefined;
}

async function readText(source: ModelReader): Promise<ModelText> {
  const config = await loadModelConfig(source);
  const tokenizerConfig = await readModelJson(source, "tokenizer_config.json");
  const template = await source.read("chat_template.jinja");
  const chatTemplate =
    template === null ? templateText(tokenizerConfig?.chat_template) : new TextDecoder().decode(template);
  return {
    config,
    tokenizerJson: await readModelJson(source, "tokenizer.json"),
    tokenizerConfig,
    generationConfig: await readModelJson(source, "generation_config.json"),
    chatTemplate,
  };
}

/**
 * Loads all of a model but its weights, which `openTensors(source, config)` streams, here or where `source.handle` is
 * reopened.
 * @throws DataError for missing or damaged parts
 */
export async function loadModelText(source: ModelSource): Promise<ModelText & { source: ModelSource }> {
  return { ...(await readText(source)), source };
}

const isReopenable = (source: ModelReader): source is ModelSource => "handle" in source;

async function loadTensors(source: ModelReader, config: ModelConfig): Promise<Map<string, ModelTensor>> {
  // All is wanted: from an address each file comes by one request.
  const inParts = isReopenable(source) && source.handle.kind !== "address";
  const ranged: RangedReader = inParts ? source : wholeFileRanges(source);
  const streamer = new TensorStreamer(ranged);
  const loaded = new Map<string, ModelTensor>();
  // File by file, so that no two files are held whole.
  const placed = await indexTensors(ranged, config, async (tensors) => {
    for (const tensor of tensors) {
      const shape = [...tensor.shape];
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
      await streamer.stream(tensor, (values, start) => data.set(values, start));
      loaded.set(tensor.name, { shape, data });
    }
  });
  return new Map([...placed.keys()].map((name) => [name, loaded.get(name) as ModelTensor]));
}

/**
 * Loads a model in the Hugging Face layout whole: config, text files where they exist, and weights in f32 (one file or shards
 * with an index).
 * @throws DataError for missing, damaged, extra or wrong-shaped parts
 */
export async function loadModelFiles(source: ModelReader): Promise<ModelFiles> {
  const text = await readText(source);
  const tensors = await loadTensors(source, text.config);
  return { ...text, tensors, ...(isReopenable(source) ? { source } : {}) };
}
