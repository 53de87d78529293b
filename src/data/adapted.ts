/** Models with adapters over them: a PEFT folder beside the model that it names, merged tensor by tensor as it is read. */
import { DataError } from "../errors.ts";
import { adapterScale } from "../model/adapters/config.ts";
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  type AdapterFiles,
  adapterPairs,
  mergeInto,
  parseAdapterFiles,
} from "../model/adapters/peft.ts";
import type { ModelConfig } from "../model/config.ts";
import { readModelJson } from "./model_json.ts";
import type { ModelReader } from "./model_source.ts";
import type { ModelText } from "./source.ts";
import type { TensorOptions } from "./tensor_stream.ts";

/** The model that adapters belong to: a name or a path, and the revision of a model on the hub. */
export interface AdapterBase {
  baseModel: string;
  revision?: string;
}

/** The model that a PEFT folder's adapters belong to, or null for a folder that is no such. @throws DataError */
export async function adapterBase(source: ModelReader): Promise<AdapterBase | null> {
  const config = await readModelJson(source, ADAPTER_CONFIG);
  if (!config || (await source.read("config.json")) !== null) return null;
  const { base_model_name_or_path: baseModel, revision } = config;
  if (typeof baseModel === "string" && baseModel !== "")
    return { baseModel, ...(typeof revision === "string" && revision !== "" ? { revision } : {}) };
  throw new DataError(
    "adapter/no-base",
    `Cannot open the adapters in ${source.where}: their ${ADAPTER_CONFIG} does not say which model they belong to`,
    { hint: "Write its name or path as `base_model_name_or_path`." },
  );
}

/** The adapters of a PEFT folder, for a model of shape `config`. @throws DataError `adapter/*`, `safetensors/*`, `model/missing-file` */
export async function readAdapters(source: ModelReader, config: ModelConfig): Promise<AdapterFiles> {
  const read = async (name: string) => {
    const bytes = await source.read(name);
    if (bytes) return bytes;
    throw new DataError(
      "model/missing-file",
      `Cannot open the adapters in ${source.where}: ${name} is missing`,
      { hint: "Fetch the missing file" },
    );
  };
  const files = {
    [ADAPTER_CONFIG]: await read(ADAPTER_CONFIG),
    [ADAPTER_WEIGHTS]: await read(ADAPTER_WEIGHTS),
  };
  return parseAdapterFiles(files, config);
}

/**
 * The model `base` with the adapters of a PEFT folder over it; text files of the folder count before those of the model.
 * @throws DataError as `readAdapters`
 */
export async function withAdapters(base: ModelText, source: ModelReader): Promise<ModelText> {
  const adapter = await readAdapters(source, base.config);
  const generationConfig = await readModelJson(source, "generation_config.json");
  return {
    ...base,
    generationConfig: generationConfig ?? base.generationConfig,
    adapters: [...(base.adapters ?? []), adapter],
  };
}

/** What merges adapters into each chunk of a model's tensors as it is read. */
export function mergeOptions(adapters: readonly AdapterFiles[], config: ModelConfig): TensorOptions {
  if (adapters.length === 0) return {};
  const merged = adapters.map(({ settings, tensors }) => ({
    rank: settings.rank,
    scale: adapterScale(settings),
    pairs: adapterPairs(config, settings, tensors),
  }));
  return {
    adjust(name, values, start) {
      for (const { rank, scale, pairs } of merged) {
        const pair = pairs.get(name);
        if (!pair) continue;
        // Chunks are whole rows.
        const first = start / pair.inputs;
        const outputs = values.length / pair.inputs;
        const b = pair.b.subarray(first * rank, (first + outputs) * rank);
        mergeInto(values, { ...pair, b, outputs }, { rank, scale });
      }
    },
  };
}
