/** Activation buffers of one micro-batch or decode step: made once for a capacity, reused ever after. */
import type { GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ModelConfig } from "./config.ts";

/** Matrices that one linear layer reads side by side. */
export type FusedBlock = "qkv" | "o" | "gate_up" | "down";

/** (T·r) by block with adapters. */
export type HiddenWidths = Partial<Record<FusedBlock, number>>;

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
  /** (N, T·r) what the adapters of a block make of its input; empty without adapters. */
  hidden: Partial<Record<FusedBlock, GpuBuffer>>;
}

/**
 * What stays after the forward pass. `none`: a generator's, which has no backward pass. `all`: everything. `inputs`: each
 * layer's input alone, from which the backward pass computes the rest again, layer by layer (arXiv:1604.06174).
 */
export type Kept = "none" | "inputs" | "all";

export class Workspace implements Disposable {
  /** Rows it holds. */
  readonly capacity: number;
  readonly kept: Kept;
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
  constructor(
    gpu: Gpu,
    config: ModelConfig,
    capacity: number,
    kept: Kept,
    label: string,
    hiddenWidths: HiddenWidths = {},
  ) {
    this.capacity = capacity;
    this.kept = kept;
    const keep = kept !== "none";
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
        hidden: Object.fromEntries(
          Object.entries(hiddenWidths).map(([block, width]) => [block, make(`${i} ${block} hidden`, width)]),
        ),
      };
    };
    if (kept === "all") this.layers = Array.from({ length: config.layers }, (_, i) => layer(i));
    else {
      const shared = layer(0);
      this.layers = Array.from({ length: config.layers }, (_, i) =>
        i === 0 || !keep ? shared : { ...shared, input: make(`${i} input`, C) },
      );
    }
  }

  [Symbol.dispose](): void {
    for (const buffer of this.buffers) buffer[Symbol.dispose]();
  }
}
