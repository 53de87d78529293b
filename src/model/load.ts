/** Fills parameters on a device from a model's files, a chunk of a tensor at a time, so that the host never holds a tensor. */
import type { Gpu } from "../gpu/device.ts";
import { toFloat16 } from "./float16.ts";
import type { Parameters } from "./parameters.ts";

/** A model's tensors by their Hugging Face names, handed out in order, in chunks whose arrays are used again. */
export interface TensorStream {
  /** As f32. @throws DataError */
  stream(name: string, onChunk: (values: Float32Array, start: number) => void | Promise<void>): Promise<void>;
  /** As bits of f16. @throws DataError also for a value that f16 cannot hold */
  streamFloat16(
    name: string,
    onChunk: (values: Uint16Array, start: number) => void | Promise<void>,
  ): Promise<void>;
}

/** Tensors that are in memory already. */
export function memoryTensors(tensors: ReadonlyMap<string, { data: Float32Array }>): TensorStream {
  const values = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor)
      throw new RangeError(`Cannot load ${name}: it is not among the ${tensors.size} tensors given`);
    return tensor.data;
  };
  return {
    stream: async (name, onChunk) => onChunk(values(name), 0),
    streamFloat16: async (name, onChunk) => onChunk(toFloat16(values(name)), 0),
  };
}

/** Bytes written before the queue is waited for: drivers keep what is written in memory of their own until then. */
const PENDING_BYTES = 2 ** 24;

/** Writes every tensor of the layout. @throws DataError for what cannot be read, GpuLostError */
export async function loadParameters(gpu: Gpu, parameters: Parameters, tensors: TensorStream): Promise<void> {
  let pending = 0;
  const write = async (index: number, values: Float32Array | Uint16Array, start: number) => {
    parameters.writeTensor(index, values, start);
    pending += values.byteLength;
    if (pending < PENDING_BYTES) return;
    pending = 0;
    await gpu.flush();
  };
  for (const [index, { name, spans }] of parameters.layout.tensors.entries()) {
    const half = parameters.precision === "f16" && parameters.layout.shards[spans[0].shard].matrices;
    if (half) await tensors.streamFloat16(name, (values, start) => write(index, values, start));
    else await tensors.stream(name, (values, start) => write(index, values, start));
  }
  await gpu.flush();
}
