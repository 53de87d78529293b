/** Adapters as the files of a PEFT folder, and merged into the weights of their model. */
import { DataError } from "../../errors.ts";
import type { ModelConfig } from "../config.ts";
import {
  parseSafetensors,
  type SafetensorsTensor,
  toFloat32,
  type WritableTensor,
  writeSafetensors,
} from "../safetensors.ts";
import {
  type AdapterConfig,
  type AdapterSettings,
  parseAdapterConfig,
  writeAdapterConfig,
} from "./config.ts";
import { type AdapterPlace, adapterPlaces, layoutAdapters } from "./layout.ts";

export type AdapterTensors = ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>;

/** Adapters with where they come from. */
export interface AdapterFiles extends AdapterConfig {
  /** By PEFT's names: exactly those of `layoutAdapters`. */
  tensors: AdapterTensors;
}

export const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

export type AdapterFolder = Record<typeof ADAPTER_CONFIG | typeof ADAPTER_WEIGHTS, Uint8Array>;

/** Writes the files by name; F32 loses nothing. */
export function adapterFolderFiles(
  adapter: AdapterFiles,
  dtype: "F32" | "BF16" | "F16" = "F32",
): AdapterFolder {
  const text = JSON.stringify(writeAdapterConfig(adapter), null, 2);
  const tensors: Record<string, WritableTensor> = {};
  for (const [name, { shape, data }] of adapter.tensors) tensors[name] = { dtype, shape, data };
  return {
    [ADAPTER_CONFIG]: new TextEncoder().encode(`${text}\n`),
    [ADAPTER_WEIGHTS]: writeSafetensors(tensors, { format: "pt" }),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    // A copy, because decoders refuse shared memory.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes)));
  } catch (cause) {
    throw new DataError("adapter/bad-config", `Cannot read the adapter's ${ADAPTER_CONFIG}: it is not JSON`, {
      hint: "Fetch or copy the file again",
      cause,
    });
  }
}

function wrongTensor(what: string, hint: string): DataError {
  return new DataError("adapter/bad-tensors", `Cannot use the adapter's ${ADAPTER_WEIGHTS}: ${what}`, {
    hint,
  });
}

function checkTensors(
  found: ReadonlyMap<string, SafetensorsTensor>,
  needed: readonly { name: string; shape: readonly number[] }[],
): void {
  const known = new Set(needed.map(({ name }) => name));
  const odd = [...found.keys()].find((name) => !known.has(name));
  if (odd !== undefined) {
    throw wrongTensor(
      `it holds ${odd}, which neither its ${ADAPTER_CONFIG} nor this model has a place for`,
      "Use the model that the adapter was trained on; of adapters, plain LoRA of linear layers is understood",
    );
  }
  for (const { name, shape } of needed) {
    const tensor = found.get(name);
    if (!tensor) {
      throw wrongTensor(
        `${name} is missing, all ${needed.length} matrices of its modules and this model's layers are needed`,
        "Use the model that the adapter was trained on, or fetch the file again",
      );
    }
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, i) => size !== shape[i])) {
      throw wrongTensor(
        `${name} has the shape [${tensor.shape.join(", ")}], [${shape.join(", ")}] is needed`,
        `Use the model that the adapter was trained on, and the ${ADAPTER_CONFIG} that belongs to it`,
      );
    }
  }
}

/**
 * Reads the files of a PEFT folder as adapters of a model of shape `config`.
 * @throws DataError `adapter/bad-config`, `adapter/unsupported`, `adapter/bad-tensors`, or of the safetensors file
 */
export function parseAdapterFiles(files: AdapterFolder, config: ModelConfig): AdapterFiles {
  const adapter = parseAdapterConfig(parseJson(files[ADAPTER_CONFIG]));
  const found = parseSafetensors(files[ADAPTER_WEIGHTS]).tensors;
  const needed = layoutAdapters(config, adapter.settings).tensors;
  checkTensors(found, needed);
  const tensors = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const { name, shape } of needed) {
    const tensor = found.get(name);
    if (tensor) tensors.set(name, { shape, data: toFloat32(tensor) });
  }
  return { ...adapter, tensors };
}

/** What changes one tensor of the model: weight (outputs, inputs) + scale · B·A. */
export interface AdapterPair extends Pick<AdapterPlace, "outputs" | "inputs"> {
  /** (R, inputs) */
  a: Float32Array;
  /** (outputs, R) */
  b: Float32Array;
}

/**
 * The adapters by the model's tensor that they change, such as `model.layers.0.self_attn.q_proj.weight`: views, so that a
 * model can be merged tensor by tensor while it streams by.
 * @throws RangeError when a tensor is missing
 */
export function adapterPairs(
  config: ModelConfig,
  settings: AdapterSettings,
  tensors: AdapterTensors,
): Map<string, AdapterPair> {
  const values = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new RangeError(`Cannot pair adapters: ${name} is missing`);
    return tensor.data;
  };
  return new Map(
    adapterPlaces(config, settings).map(({ base, a, b, outputs, inputs }) => [
      base,
      { a: values(a), b: values(b), outputs, inputs },
    ]),
  );
}

/**
 * Adds scale · B·A to `weight` (outputs, inputs), row-major, summed in float64 and rounded once.
 * @throws RangeError when a length does not fit
 */
export function mergeInto(
  weight: Float32Array,
  { a, b, outputs, inputs }: AdapterPair,
  { rank, scale }: { rank: number; scale: number },
): void {
  if (weight.length !== outputs * inputs || a.length !== rank * inputs || b.length !== outputs * rank) {
    throw new RangeError(
      `Cannot merge adapters of rank ${rank}: ${weight.length}, ${a.length} and ${b.length} elements found for a weight of ${outputs} × ${inputs}`,
    );
  }
  const sums = new Float64Array(inputs);
  for (let o = 0; o < outputs; o++) {
    sums.fill(0);
    for (let j = 0; j < rank; j++) {
      const factor = b[o * rank + j];
      for (let i = 0; i < inputs; i++) sums[i] += factor * a[j * inputs + i];
    }
    for (let i = 0; i < inputs; i++) weight[o * inputs + i] += scale * sums[i];
  }
}
