/**
 * A model's tensors one after the other in bounded memory: a chunk of a few MiB is read, widened or narrowed, and handed on.
 * Whoever fills a device's buffers calls it, in any thread that can open the source.
 */
import { DataError } from "../errors.ts";
import type { ModelConfig } from "../model/config.ts";
import { dtypeBytes, type FloatDtype } from "../model/safetensors.ts";
import type { ModelSource } from "./model_source.ts";
import { indexTensors, type PlacedTensor, type RangedReader, readExactly } from "./tensor_index.ts";
import { float16Values, narrowValues, valueAt, widenValues } from "./tensor_values.ts";

/** Bytes of a file read at a time; one row where a row is longer. */
export const CHUNK_BYTES = 8 * 2 ** 20;

/**
 * Takes the values from place `start` of the tensor on: whole rows of a matrix, in order, without gap. The array is used
 * again once this resolves.
 */
export type OnChunk<T> = (values: T, start: number) => void | Promise<void>;

export interface StreamOptions {
  /** Bytes of the file read at a time; 8 MiB by default. */
  chunkBytes?: number;
  signal?: AbortSignal;
}

export interface TensorOptions {
  /** Changes each chunk of f32 before it is handed on, as a merged adapter does; chunks are as `OnChunk` says. */
  adjust?(name: string, values: Float32Array, start: number): void | Promise<void>;
}

export interface TensorIndex {
  /** Those of `tensorNames(config)`, in its order. */
  readonly names: readonly string[];
  shape(name: string): readonly number[];
  /** As stored. */
  dtype(name: string): FloatDtype;
  /** Hands on a tensor as f32. @throws DataError where the file ends too soon or cannot be read */
  stream(name: string, onChunk: OnChunk<Float32Array>, options?: StreamOptions): Promise<void>;
  /**
   * Hands on a tensor as the bits of f16: F16 unchanged, others rounded to nearest even.
   * @throws DataError `model/beyond-f16` for a finite value that f16 cannot hold, and as `stream`
   */
  streamFloat16(name: string, onChunk: OnChunk<Uint16Array>, options?: StreamOptions): Promise<void>;
}

/**
 * Reads and checks all headers; weights are read by `stream` alone.
 * @throws DataError for missing, damaged, extra or wrong-shaped parts
 */
export async function openTensors(
  source: ModelSource,
  config: ModelConfig,
  options: TensorOptions = {},
): Promise<TensorIndex> {
  const placed = await indexTensors(source, config);
  const find = (name: string) => {
    const tensor = placed.get(name);
    if (tensor === undefined) throw new RangeError(`The model in ${source.where} has no tensor ${name}`);
    return tensor;
  };
  const streamer = new TensorStreamer(source, options);
  return {
    names: [...placed.keys()],
    shape: (name) => find(name).shape,
    dtype: (name) => find(name).dtype,
    stream: async (name, onChunk, how) => streamer.stream(find(name), onChunk, how),
    streamFloat16: async (name, onChunk, how) => streamer.streamFloat16(find(name), onChunk, how),
  };
}

/** Streams tensors of one source; the arrays that hold chunks are kept from one tensor to the next. */
export class TensorStreamer {
  private readonly source: RangedReader;
  private readonly options: TensorOptions;
  private readonly bytes = new Spare((length) => new Uint8Array(length));
  private readonly floats = new Spare((length) => new Float32Array(length));
  private readonly halves = new Spare((length) => new Uint16Array(length));

  constructor(source: RangedReader, options: TensorOptions = {}) {
    this.source = source;
    this.options = options;
  }

  async stream(tensor: PlacedTensor, onChunk: OnChunk<Float32Array>, options?: StreamOptions): Promise<void> {
    await this.floats.lend(longestChunk(tensor, options), (room) =>
      this.eachChunk(tensor, options, async (bytes, start, length) => {
        const values = room.subarray(0, length);
        widenValues(tensor.dtype, bytes, values);
        await this.options.adjust?.(tensor.name, values, start);
        await onChunk(values, start);
      }),
    );
  }

  async streamFloat16(
    tensor: PlacedTensor,
    onChunk: OnChunk<Uint16Array>,
    options?: StreamOptions,
  ): Promise<void> {
    const take = (values: Uint16Array, start: number, beyond: number, value: () => number) => {
      if (beyond >= 0) throw beyondFloat16(tensor, start + beyond, value());
      return onChunk(values, start);
    };
    await this.halves.lend(longestChunk(tensor, options), async (room) => {
      if (this.options.adjust) {
        return this.stream(
          tensor,
          (values, start) => {
            const halves = room.subarray(0, values.length);
            const beyond = narrowValues(values, halves);
            return take(halves, start, beyond, () => values[beyond]);
          },
          options,
        );
      }
      return this.eachChunk(tensor, options, (bytes, start, length) => {
        const halves = room.subarray(0, length);
        const beyond = float16Values(tensor.dtype, bytes, halves);
        return take(halves, start, beyond, () => valueAt(tensor.dtype, bytes, beyond));
      });
    });
  }

  /** Reads the tensor's bytes, whole rows at a time; `start` and `length` count values. */
  private async eachChunk(
    tensor: PlacedTensor,
    { signal, ...options }: StreamOptions = {},
    work: (bytes: Uint8Array, start: number, length: number) => void | Promise<void>,
  ): Promise<void> {
    const { file, start, end } = tensor;
    const width = dtypeBytes(tensor.dtype);
    const step = longestChunk(tensor, options) * width;
    await this.bytes.lend(step, async (room) => {
      for (let at = start; at < end; at += step) {
        signal?.throwIfAborted();
        const bytes = await readExactly(this.source, file, at, Math.min(step, end - at), room);
        await work(bytes, (at - start) / width, bytes.byteLength / width);
      }
    });
  }
}

/** Values in a chunk. */
function longestChunk(
  { shape, dtype, start, end }: PlacedTensor,
  { chunkBytes = CHUNK_BYTES }: StreamOptions = {},
): number {
  const width = dtypeBytes(dtype);
  const row = shape.slice(1).reduce((product, size) => product * size, 1);
  const rows = Math.max(1, Math.floor(chunkBytes / (row * width)));
  return Math.min(row * rows, (end - start) / width);
}

function beyondFloat16({ name, shape }: PlacedTensor, place: number, value: number): DataError {
  const row = shape.slice(1).reduce((product, size) => product * size, 1);
  const index = shape.length > 1 ? `${Math.floor(place / row)}, ${place % row}` : String(place);
  return new DataError(
    "model/beyond-f16",
    `Cannot hold tensor ${name} in f16: it has ${value} at [${index}], f16 ends at 65504`,
    { hint: "Keep this model's weights in f32" },
  );
}

/** One array that grows, lent to one borrower at a time; who comes meanwhile gets another. */
class Spare<T extends { readonly length: number }> {
  private readonly make: (length: number) => T;
  private kept: T | null = null;

  constructor(make: (length: number) => T) {
    this.make = make;
  }

  async lend(length: number, work: (room: T) => Promise<void>): Promise<void> {
    const had = this.kept;
    this.kept = null;
    const room = had !== null && had.length >= length ? had : this.make(length);
    try {
      await work(room);
    } finally {
      this.kept = room;
    }
  }
}
