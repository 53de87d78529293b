/**
 * Where each tensor of a model lies: the headers of its safetensors file, or of its shards with their index, checked against
 * what `config.json` needs. Reads no weights.
 */
import { DataError } from "../errors.ts";
import { type ModelConfig, tensorNames } from "../model/config.ts";
import {
  type FloatDtype,
  floatDtype,
  parseSafetensorsHeader,
  type SafetensorsEntry,
  safetensorsHeaderLength,
} from "../model/safetensors.ts";
import { readModelJson } from "./model_json.ts";
import type { ModelReader, ModelSource } from "./model_source.ts";

/** What tensors are read from. */
export type RangedReader = ModelReader & Pick<ModelSource, "size" | "readRange">;

export interface PlacedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: FloatDtype;
  readonly file: string;
  /** The first byte in the file, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

const cutShort = (file: string, { where }: ModelReader) =>
  new DataError("safetensors/damaged", `Cannot read ${file} in ${where}: it ended before its size`, {
    hint: "Fetch or copy the file again; its length should equal that of the source",
  });

/** As many bytes of the file as asked for. @throws DataError `safetensors/damaged` where there are fewer */
export async function readExactly(
  source: RangedReader,
  file: string,
  at: number,
  length: number,
  room?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = await source.readRange(file, at, length, room);
  if (bytes?.byteLength !== length) throw cutShort(file, source);
  return bytes;
}

async function readHeader(
  source: RangedReader,
  file: string,
): Promise<{ entries: SafetensorsEntry[]; dataStart: number }> {
  const size = await source.size(file);
  if (size === null) {
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
    const length = safetensorsHeaderLength(await readExactly(source, file, 0, Math.min(8, size)), size);
    const header = await readExactly(source, file, 8, length);
    return { dataStart: 8 + length, ...parseSafetensorsHeader(header, size - 8 - length) };
  } catch (error) {
    if (!(error instanceof DataError) || !error.code.startsWith("safetensors/")) throw error;
    throw new DataError(error.code, `${error.message} (${file} in ${source.where})`, {
      hint: error.hint,
      cause: error,
    });
  }
}

/** Each weight file with the tensors the index expects in it (null: whatever it holds). */
async function weightFiles(source: ModelReader): Promise<Map<string, Set<string> | null>> {
  const indexName = "model.safetensors.index.json";
  const index = await readModelJson(source, indexName);
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

/** A tied head is the embedding; older exports carry the rotary table, which is recomputed. */
const isHarmless = (name: string, config: ModelConfig) =>
  (name === "lm_head.weight" && config.tiedHead) || name.endsWith("rotary_emb.inv_freq");

/**
 * Finds exactly the tensors of `tensorNames(config)`, in that order. `onFile` is called with each file's tensors before the
 * next file is looked at.
 * @throws DataError for missing, damaged, extra or wrong-shaped parts
 */
export async function indexTensors(
  source: RangedReader,
  config: ModelConfig,
  onFile?: (tensors: readonly PlacedTensor[]) => Promise<void>,
): Promise<Map<string, PlacedTensor>> {
  const expected = new Map(tensorNames(config).map(({ name, shape }) => [name, shape]));
  const found = new Map<string, PlacedTensor>();
  const extra: string[] = [];
  for (const [file, promised] of await weightFiles(source)) {
    const { entries, dataStart } = await readHeader(source, file);
    const held = new Set(entries.map(({ name }) => name));
    const absent = [...(promised ?? [])].filter((name) => !held.has(name));
    if (absent.length > 0) {
      throw new DataError(
        "model/missing-tensor",
        `Cannot load ${file} of ${source.where}: the index promises ${sample(absent)} in it`,
        {
          hint: "Fetch the index and all its files from the same revision",
        },
      );
    }
    const placed: PlacedTensor[] = [];
    for (const entry of entries) {
      const { name, start, end } = entry;
      const shape = expected.get(name);
      if (shape === undefined) {
        if (!isHarmless(name, config)) extra.push(name);
        continue;
      }
      if (shape.join() !== entry.shape.join()) {
        throw new DataError(
          "model/wrong-shape",
          `Cannot load tensor ${name} from ${file}: its shape is [${entry.shape.join(", ")}], config.json needs [${shape.join(", ")}]`,
          { hint: "Use the config.json that belongs to these weights" },
        );
      }
      const dtype = floatDtype(entry);
      placed.push({ name, shape, dtype, file, start: dataStart + start, end: dataStart + end });
    }
    for (const tensor of placed) found.set(tensor.name, tensor);
    await onFile?.(placed);
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
  return new Map([...expected.keys()].map((name) => [name, found.get(name) as PlacedTensor]));
}
