/** Activation buffers of one micro-batch or decode step: made once for a capacity, reused ever after. */
import type { GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ModelConfig } from "./config.ts";

/** What a layer leaves behind for its backward pass. N rows. */
export interface LayerActivations {
  /** (N, C) residual stream at the layer's input. */
  input: GpuBuffer;
  /** (N, C) after the first norm. */
  normed: GpuBuffer;
  /** (N) reciprocal root mean squares. */
  normedScale: GpuBuffer;
  /** (N, H+2K, D) before the per-head norm; the same buffer as `qkv` where the model has none. */
  qkvRaw: GpuBuffer;
  /** (N, H+K) reciprocal root mean squares of the per-head norm. */
  headScale: GpuBuffer;
  /** (N, H+2K, D) rotated queries and keys, and values. */
  qkv: GpuBuffer;
  /** (N, H, D) */
  attended: GpuBuffer;
  /** (N, H) log-sum-exp of the attention scores. */
  lse: GpuBuffer;
  /** (N, C) residual stream between attention and MLP. */
  middle: GpuBuffer;
  /** (N, C) after the second norm. */
  mlpNormed: GpuBuffer;
  /** (N) */
  mlpNormedScale: GpuBuffer;
  /** (N, 2F) gate, then up. */
  gateUp: GpuBuffer;
  /** (N, F) */
  activated: GpuBuffer;
}

export class Workspace implements Disposable {
  /** Rows it holds. */
  readonly capacity: number;
  /** Whether every layer has buffers of its own (a backward pass follows). */
  readonly keep: boolean;
  /** (N) token ids. */
  readonly ids: GpuBuffer;
  /** (N) position of each row in its sequence. */
  readonly positions: GpuBuffer;
  /** (N, 2) first row and end row of each row's sequence. */
  readonly segments: GpuBuffer;
  readonly layers: readonly LayerActivations[];
  /** (N, C) residual stream after the last layer. */
  readonly output: GpuBuffer;
  private readonly buffers: GpuBuffer[] = [];

  /** @throws GpuLimitError */
  constructor(gpu: Gpu, config: ModelConfig, capacity: number, keep: boolean, label: string) {
    this.capacity = capacity;
    this.keep = keep;
    const make = (name: string, width: number) => {
      const buffer = gpu.buffer(`${label} ${name}`, capacity * width);
      this.buffers.push(buffer);
      return buffer;
    };
    this.ids = make("ids", 1);
    this.positions = make("positions", 1);
    this.segments = make("segments", 2);
    this.output = make("output", config.width);
    const C = config.width;
    const heads = config.heads + 2 * config.kvHeads;
    const layer = (i: number): LayerActivations => {
      const qkv = make(`${i} qkv`, heads * config.headDim);
      return {
        input: keep ? make(`${i} input`, C) : this.output,
        normed: make(`${i} normed`, C),
        normedScale: make(`${i} normed scale`, 1),
        qkvRaw: config.qkNorm ? make(`${i} qkv raw`, heads * config.headDim) : qkv,
        headScale: make(`${i} head scale`, config.qkNorm ? config.heads + config.kvHeads : 1),
        qkv,
        attended: make(`${i} attended`, config.heads * config.headDim),
        lse: make(`${i} lse`, config.heads),
        middle: keep ? make(`${i} middle`, C) : this.output,
        mlpNormed: make(`${i} mlp normed`, C),
        mlpNormedScale: make(`${i} mlp normed scale`, 1),
        gateUp: make(`${i} gate up`, 2 * config.mlpWidth),
        activated: make(`${i} activated`, config.mlpWidth),
      };
    };
    if (keep) this.layers = Array.from({ length: config.layers }, (_, i) => layer(i));
    else {
      const shared = layer(0);
      this.layers = Array.from({ length: config.layers }, () => shared);
    }
  }

  [Symbol.dispose](): void {
    for (const buffer of this.buffers) buffer[Symbol.dispose]();
  }
}

/** Elements of activations a row needs, for the estimate before a run. */
export function workspaceElementsPerRow(config: ModelConfig, keep: boolean): number {
  const heads = config.heads + 2 * config.kvHeads;
  const perLayer =
    (keep ? 4 : 2) * config.width +
    2 +
    heads * config.headDim * (config.qkNorm ? 2 : 1) +
    (config.qkNorm ? config.heads + config.kvHeads : 1) +
    config.heads * config.headDim +
    config.heads +
    3 * config.mlpWidth;
  return 4 + config.width + perLayer * (keep ? config.layers : 1);
}
