/** One set of parameter-shaped buffers on a device: weights, gradients or moments. */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { ParameterLayout } from "./layout.ts";

export class Parameters implements Disposable {
  readonly layout: ParameterLayout;
  readonly shards: readonly GpuBuffer[];
  private readonly views = new Map<string, BufferView>();

  /** Zeroed buffers. @throws GpuLimitError */
  constructor(gpu: Gpu, layout: ParameterLayout, label: string) {
    this.layout = layout;
    this.shards = layout.shards.map((shard, i) => gpu.buffer(`${label} ${i}`, shard.length));
  }

  /** The block `key`, for example `"0.qkv"`. @throws RangeError */
  view(key: string): BufferView {
    let view = this.views.get(key);
    if (!view) {
      const block = this.layout.blocks.get(key);
      if (!block)
        throw new RangeError(
          `Cannot view parameters "${key}": this model has ${[...this.layout.blocks.keys()].join(", ")}`,
        );
      view = this.shards[block.shard].view(block.offset, block.length);
      this.views.set(key, view);
    }
    return view;
  }

  /** Rows `start..start + rows` of a (rows, width) block; `start · width` is a multiple of 64. */
  rows(key: string, start: number, rows: number, width: number): BufferView {
    const name = `${key}[${start}+${rows}]`;
    let view = this.views.get(name);
    if (!view) {
      const block = this.layout.blocks.get(key)!;
      view = this.shards[block.shard].view(block.offset + start * width, rows * width);
      this.views.set(name, view);
    }
    return view;
  }

  write(shards: readonly Float32Array[]): void {
    for (let i = 0; i < shards.length; i++) this.shards[i].write(shards[i]);
  }

  /** A copy of every shard. */
  async read(gpu: Gpu): Promise<Float32Array[]> {
    const bytes = await gpu.staging.read(this.shards.map((source) => ({ source, length: source.length })));
    return bytes.map((b) => new Float32Array(b));
  }

  clear(recorder: Recorder): void {
    for (const shard of this.shards) recorder.clear(shard);
  }

  [Symbol.dispose](): void {
    for (const shard of this.shards) shard[Symbol.dispose]();
  }
}
