/** What a recorded run learned, as the files of a model that the page loads: made by `record`, asked in the chat. */
import { readModelName } from "../config/model_name.ts";
import { type AdapterBase, adapterBase } from "../data/adapted.ts";
import { readModelJson } from "../data/model_json.ts";
import { loadModelFiles, type ModelFiles, type ModelReader } from "../data/source.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import { newestCheckpoint } from "./checkpoint.ts";
import { modelFolderFiles, type WeightDtype } from "./model_folder.ts";
import type { RunDirectory } from "./run_directory.ts";
import type { RunStorage } from "./storage.ts";

/** Where a recording's policy lies, and what it is. Plain JSON, part of the recording. */
export interface RecordedPolicy {
  /** Beside the recording. */
  folder: string;
  /** The step after which it was saved. */
  step: number;
  version: number;
  /** Of its weights; less than F32: rounded from it. */
  dtype: WeightDtype;
}

/** A policy to be written beside a recording. */
export interface PolicyToRecord {
  about: Omit<RecordedPolicy, "folder">;
  files: Record<string, Uint8Array>;
}

const TEXT_FILES = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
];
/** All that may lie in such a folder. */
const POLICY_FILES = ["config.json", "model.safetensors", ADAPTER_CONFIG, ADAPTER_WEIGHTS, ...TEXT_FILES];
/** From here on f16 knows only infinity: half-way between its largest number and what would follow. */
const BEYOND_F16 = 65520;

/**
 * The newest checkpoint of a run as a model folder: weights in f16, which is half the download, or the run's adapters as
 * they were saved. Null where it has none. The run is only read: it may be training.
 * @throws DataError for a checkpoint that is no model
 */
export async function policyOf({ storage, recipe }: RunDirectory): Promise<PolicyToRecord | null> {
  const found = await newestCheckpoint(storage);
  if (found === null) return null;
  const { path, state } = found;
  const saved = { step: state.step, version: state.weightVersion };
  const reader: ModelReader = {
    where: `${storage.where}/${path}`,
    read: (name) => storage.read(`${path}/${name}`),
    list: () => storage.list(path),
  };
  const base = await adapterBase(reader);
  if (base !== null) {
    const files = await adapterFiles(reader, nameOf(base, recipe));
    return { about: { ...saved, dtype: "F32" }, files };
  }
  const model = await loadModelFiles(reader);
  const dtype = fitsFloat16(model) ? "F16" : "F32";
  return { about: { ...saved, dtype }, files: modelFolderFiles(model, dtype) };
}

const fitsFloat16 = ({ tensors }: ModelFiles) =>
  [...tensors.values()].every(({ data }) => data.every((value) => Math.abs(value) < BEYOND_F16));

/** The model that adapters belong to, as a page knows it: of one that is no hub's, a checkpoint names the folder on this machine. */
function nameOf({ baseModel }: AdapterBase, { model }: Record<string, unknown>): string {
  return typeof model === "string" && readModelName(model).kind !== "hub" ? model : baseModel;
}

async function adapterFiles(reader: ModelReader, base: string): Promise<Record<string, Uint8Array>> {
  const config = { ...(await readModelJson(reader, ADAPTER_CONFIG)), base_model_name_or_path: base };
  const files: Record<string, Uint8Array> = {
    [ADAPTER_CONFIG]: new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`),
  };
  for (const name of [ADAPTER_WEIGHTS, ...TEXT_FILES]) {
    const bytes = await reader.read(name);
    if (bytes !== null) files[name] = bytes;
  }
  return files;
}

/** Writes a policy's files, or none, and removes those of an earlier one; what else lies in the folder stays. */
export async function writePolicy(
  folder: RunStorage,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  for (const name of POLICY_FILES) if (!Object.hasOwn(files, name)) await folder.remove(name);
  for (const [name, bytes] of Object.entries(files)) await folder.writeFile(name, bytes);
  if ((await folder.list("")).length === 0) await folder.remove("");
}
