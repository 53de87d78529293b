/** What a worker needs to read a model's weights by itself: where they lie, and adapters to merge on the way. */
import { DataError } from "../errors.ts";
import type { AdapterFiles } from "../model/adapters/peft.ts";
import type { ModelConfig } from "../model/config.ts";
import { memoryTensors, type TensorStream } from "../model/load.ts";
import { mergeOptions } from "./adapted.ts";
import { type ModelHandle, reopenModelSource } from "./model_source.ts";
import type { ModelFiles, ModelTensor, ModelText } from "./source.ts";
import { openTensors, type TensorIndex } from "./tensor_stream.ts";

/** Plain values: it can be posted to another thread. */
export interface WeightsHandle {
  model: ModelHandle;
  /** Merged into the model's tensors, one after another. */
  adapters: readonly AdapterFiles[];
}

/** @throws DataError `model/no-source` for a model that was made in memory */
export function weightsHandle({ source, adapters = [] }: ModelText): WeightsHandle {
  if (source) return { model: source.handle, adapters };
  throw new DataError(
    "model/no-source",
    "Cannot give workers this model: its weights lie nowhere that they could read them from",
    { hint: "Write it to a folder and open that." },
  );
}

/** Opens the weights in this thread; headers are read and checked, values only when they are streamed. @throws DataError */
export async function openWeights(
  { model, adapters }: WeightsHandle,
  config: ModelConfig,
): Promise<TensorIndex> {
  return openTensors(await reopenModelSource(model), config, mergeOptions(adapters, config));
}

/** The weights of a model in this thread: those in memory, or where they can be read. @throws DataError */
export async function modelWeights(model: ModelText | ModelFiles): Promise<TensorStream> {
  if ("tensors" in model) return memoryTensors(model.tensors);
  return openWeights(weightsHandle(model), model.config);
}

/** The model with all its tensors in memory, adapters merged, for what writes it elsewhere. @throws DataError */
export async function loadAllWeights(model: ModelText): Promise<ModelFiles> {
  const index = await openWeights(weightsHandle(model), model.config);
  const tensors = new Map<string, ModelTensor>();
  for (const name of index.names) {
    const shape = [...index.shape(name)];
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    await index.stream(name, (values, start) => data.set(values, start));
    tensors.set(name, { shape, data });
  }
  return { ...model, adapters: undefined, tensors };
}
