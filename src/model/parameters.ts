/** One set of parameter-shaped buffers on a device: weights, gradients or moments. */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { ModelConfig } from "./config.ts";
import { fromFloat16, toFloat16 } from "./float16.ts";
import type { Block, ParameterLayout, Part } from "./layout.ts";

/** How matrices are kept; norms and biases are always f32. */
export type MatrixPrecision = "f32" | "f16";

/** A block, or rows of one, as kernels bind it. */
export interface WeightView extends BufferView {
  precision: MatrixPrecision;
}

/** A part of a block that one dispatch can bind. */
export interface WeightPart {
  view: WeightView;
  /** First row of the block in it, and how many. */
  start: number;
  rows: number;
}

/** Bytes that are read back at once, at most, unless a shard alone has more. */
export const READ_BYTES = 2 ** 26;

/** Whether the kernels that read f16 can take every matrix of a model. */
export function allowsFloat16({ width, mlpWidth, heads, kvHeads, headDim, vocabSize }: ModelConfig): boolean {
  return [width, mlpWidth, heads * headDim, kvHeads * headDim, vocabSize].every((size) => size % 4 === 0);
}

export class Parameters implements Disposable {
  readonly layout: ParameterLayout;
  readonly precision: MatrixPrecision;
  readonly shards: readonly GpuBuffer[];
  private readonly views = new Map<string, WeightView>();

  /** Zeroed buffers. @throws GpuLimitError */
  constructor(gpu: Gpu, layout: ParameterLayout, label: string, precision: MatrixPrecision = "f32") {
    this.layout = layout;
    this.precision = precision;
    this.shards = layout.shards.map(({ length, matrices }, i) =>
      gpu.buffer(`${label} ${i}`, matrices && precision === "f16" ? length / 2 : length),
    );
  }

  /** The block `key`, for example `"0.qkv"`. @throws RangeError for one that is not there or lies in several parts */
  view(key: string): WeightView {
    const { parts } = this.block(key);
    if (parts.length > 1)
      throw new RangeError(`Cannot bind ${key} at once: it lies in ${parts.length} parts; use parts()`);
    return this.rowsOf(key, parts[0], 0, parts[0].rows);
  }

  /** The block `key` part by part. */
  parts(key: string): WeightPart[] {
    return this.block(key).parts.map((part) => ({
      view: this.rowsOf(key, part, 0, part.rows),
      start: part.start,
      rows: part.rows,
    }));
  }

  /** Rows of a block, at most `tile` at a time (a multiple of 64), none across two parts. */
  tiles(key: string, tile: number): WeightPart[] {
    return this.block(key).parts.flatMap((part) =>
      Array.from({ length: Math.ceil(part.rows / tile) }, (_, i) => {
        const rows = Math.min(tile, part.rows - i * tile);
        return { view: this.rowsOf(key, part, i * tile, rows), start: part.start + i * tile, rows };
      }),
    );
  }

  /** Writes f32 values or f16 bits at element `start` of the tensor at `index` of the layout. */
  writeTensor(index: number, values: Float32Array | Uint16Array, start = 0): void {
    for (const span of this.layout.tensors[index].spans) {
      const from = Math.max(start, span.start);
      const to = Math.min(start + values.length, span.start + span.length);
      if (from >= to) continue;
      this.writeShard(span.shard, values.subarray(from - start, to - start), span.offset + from - span.start);
    }
  }

  /** Writes whole shards, in order: f32 values or f16 bits. */
  write(shards: Iterable<Float32Array | Uint16Array>): void {
    let i = 0;
    for (const shard of shards) this.writeShard(i++, shard, 0);
  }

  private writeShard(shard: number, values: Float32Array | Uint16Array, offset: number): void {
    const half = this.precision === "f16" && this.layout.shards[shard].matrices;
    if (half)
      this.shards[shard].writeHalves(values instanceof Uint16Array ? values : toFloat16(values), offset);
    else this.shards[shard].write(values instanceof Uint16Array ? fromFloat16(values) : values, offset);
  }

  /** A copy of every shard. Parameters in f32 only. */
  async read(gpu: Gpu): Promise<Float32Array<ArrayBuffer>[]> {
    const copies: Float32Array<ArrayBuffer>[] = [];
    await this.stream(gpu, (_, values) => {
      copies.push(values);
    });
    return copies;
  }

  /** Hands out a copy of every shard in order, a bounded number of bytes at a time. Parameters in f32 only. */
  async stream(gpu: Gpu, onShard: (shard: number, values: Float32Array<ArrayBuffer>) => void): Promise<void> {
    if (this.precision === "f16")
      throw new TypeError("Cannot read f16 parameters back: they are only copies");
    for (let first = 0; first < this.shards.length; ) {
      let end = first + 1;
      let bytes = this.shards[first].size;
      while (end < this.shards.length && bytes + this.shards[end].size <= READ_BYTES)
        bytes += this.shards[end++].size;
      const ranges = this.shards.slice(first, end).map((source) => ({ source, length: source.length }));
      for (const [i, read] of (await gpu.staging.read(ranges)).entries())
        onShard(first + i, new Float32Array(read));
      first = end;
    }
  }

  clear(recorder: Recorder): void {
    for (const shard of this.shards) recorder.clear(shard);
  }

  [Symbol.dispose](): void {
    for (const shard of this.shards) shard[Symbol.dispose]();
  }

  private block(key: string): Block {
    const block = this.layout.blocks.get(key);
    if (block) return block;
    const known = [...this.layout.blocks.keys()].join(", ");
    throw new RangeError(`Cannot view parameters "${key}": this model has ${known}`);
  }

  /** Rows `start` … of a part; kept, so that bind groups are made once. */
  private rowsOf(key: string, part: Part, start: number, rows: number): WeightView {
    const name = `${key}[${part.start + start}+${rows}]`;
    let view = this.views.get(name);
    if (!view) {
      const { shards } = this.layout;
      const width = part.length / part.rows;
      const half = this.precision === "f16" && shards[part.shard].matrices;
      const words = half ? 2 : 1;
      const bound = this.shards[part.shard].view(
        (part.offset + start * width) / words,
        Math.ceil((rows * width) / words),
      );
      view = { ...bound, precision: half ? "f16" : "f32" };
      this.views.set(name, view);
    }
    return view;
  }
}
