/**
 * Final norm and output head over selected rows, by tiles of the vocabulary: logits of a tile live in a bounded
 * scratch buffer, are folded into four numbers a row and forgotten; the backward pass recomputes each tile.
 */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { gatherRows } from "../kernels/embedding/gather_rows.ts";
import { scatterRows } from "../kernels/embedding/scatter_rows.ts";
import { headFinish } from "../kernels/head/head_finish.ts";
import { headTile } from "../kernels/head/head_tile.ts";
import { headTileBackward } from "../kernels/head/head_tile_backward.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import { encodeNormBackward } from "./backward.ts";
import type { ModelConfig } from "./config.ts";
import type { Decoder } from "./decoder.ts";
import { encodeLinear, encodeLinearBackwardInput, encodeLinearBackwardWeight } from "./linear.ts";
import type { Parameters } from "./parameters.ts";

/** Scratch for logits, at most: bounds memory however large vocabulary and batch are. */
const SCRATCH_ELEMENTS = 2 ** 22;

/** Buffers of the head for up to M selected rows. */
export class HeadWorkspace implements Disposable {
  readonly capacity: number;
  /** Vocabulary entries a tile, a multiple of 64 unless one tile holds all. */
  readonly tile: number;
  /** (M) the rows of the residual stream to read. */
  readonly index: GpuBuffer;
  /** (M) token ids whose log-probability is wanted. */
  readonly targets: GpuBuffer;
  /** (M, C) */
  readonly hidden: GpuBuffer;
  readonly normed: GpuBuffer;
  readonly normedScale: GpuBuffer;
  readonly scratch: GpuBuffer;
  /** (M, 4) running maximum, sums and target logit. */
  readonly state: GpuBuffer;
  /** (M) */
  readonly logprobs: GpuBuffer;
  readonly entropy: GpuBuffer;
  readonly lse: GpuBuffer;
  /** (M, C) gradients, where a backward pass follows. */
  readonly dNormed: GpuBuffer;
  readonly dHidden: GpuBuffer;
  private readonly buffers: GpuBuffer[] = [];

  /** @throws GpuLimitError */
  constructor(decoder: Decoder, capacity: number, label: string) {
    const { gpu, config } = decoder;
    this.capacity = capacity;
    this.tile = vocabularyTile(config.vocabSize, capacity);
    const make = (name: string, length: number) => {
      const buffer = gpu.buffer(`${label} ${name}`, length);
      this.buffers.push(buffer);
      return buffer;
    };
    this.index = make("index", capacity);
    this.targets = make("targets", capacity);
    this.hidden = make("hidden", capacity * config.width);
    this.normed = make("normed", capacity * config.width);
    this.normedScale = make("normed scale", capacity);
    this.scratch = make("scratch", capacity * this.tile);
    this.state = make("state", capacity * 4);
    this.logprobs = make("logprobs", capacity);
    this.entropy = make("entropy", capacity);
    this.lse = make("lse", capacity);
    this.dNormed = make("d normed", capacity * config.width);
    this.dHidden = make("d hidden", capacity * config.width);
  }

  [Symbol.dispose](): void {
    for (const buffer of this.buffers) buffer[Symbol.dispose]();
  }
}

/** Vocabulary entries a tile for `rows` rows. */
export function vocabularyTile(vocab: number, rows: number): number {
  const fits = Math.floor(SCRATCH_ELEMENTS / Math.max(1, rows) / 64) * 64;
  return Math.min(vocab, Math.max(64, fits));
}

/** The block that projects to the vocabulary. */
export function headBlock(config: ModelConfig): string {
  return config.tiedHead ? "embedding" : "head";
}

/** Gathers `rows` rows of the residual stream `x` by `head.index` and normalises them into `head.normed`. */
export function encodeFinalNorm(
  recorder: Recorder,
  decoder: Decoder,
  weights: Parameters,
  head: HeadWorkspace,
  x: BufferView,
  sourceRows: number,
  rows: number,
): void {
  const { width, normEps: eps } = decoder.config;
  gatherRows.encode(
    recorder,
    { x, index: head.index, y: head.hidden },
    { rows, width, source_rows: sourceRows },
  );
  rmsNorm.encode(
    recorder,
    { x: head.hidden, weight: weights.view("final_norm"), y: head.normed, rrms: head.normedScale },
    { rows, width, eps },
  );
}

/** Records log-probability of `head.targets` and entropy at `temperature`, after `encodeFinalNorm`. */
export function encodeHead(
  recorder: Recorder,
  decoder: Decoder,
  weights: Parameters,
  head: HeadWorkspace,
  rows: number,
  temperature: number,
): void {
  const { width } = decoder.config;
  for (const { view: weight, start, rows: tile } of weights.tiles(headBlock(decoder.config), head.tile)) {
    encodeLinear(
      recorder,
      { x: head.normed, weight, bias: null, y: head.scratch },
      { rows, outputs: tile, inputs: width },
    );
    headTile.encode(
      recorder,
      { logits: head.scratch, targets: head.targets, state: head.state },
      {
        rows,
        tile_width: tile,
        tile_start: start,
        first: start === 0 ? 1 : 0,
        inverse_temperature: 1 / temperature,
      },
    );
  }
  headFinish.encode(
    recorder,
    { state: head.state, logprob: head.logprobs, entropy: head.entropy, lse: head.lse },
    { rows },
  );
}

/** Records (rows, V) logits of rows that are normed already, one part of the vocabulary after another. */
export function encodeLogits(
  recorder: Recorder,
  decoder: Decoder,
  weights: Parameters,
  normed: BufferView,
  logits: BufferView,
  rows: number,
): void {
  const { width, vocabSize } = decoder.config;
  for (const part of weights.parts(headBlock(decoder.config))) {
    encodeLinear(
      recorder,
      { x: normed, weight: part.view, bias: null, y: logits, yStart: part.start, yStride: vocabSize },
      { rows, outputs: part.rows, inputs: width },
    );
  }
}

/**
 * Records the gradient of Σ dLogprobs · logprob: adds to the head's and final norm's gradients, where these are wanted,
 * and into rows `head.index` of `dx`.
 */
export function encodeHeadBackward(
  recorder: Recorder,
  decoder: Decoder,
  weights: Parameters,
  gradients: Parameters | null,
  head: HeadWorkspace,
  dLogprobs: BufferView,
  dx: BufferView,
  sourceRows: number,
  rows: number,
  temperature: number,
): void {
  const { width } = decoder.config;
  const key = headBlock(decoder.config);
  const tiles = weights.tiles(key, head.tile);
  const gradientTiles = gradients?.tiles(key, head.tile);
  for (const [i, { view: weight, start, rows: tile }] of tiles.entries()) {
    const dims = { rows, outputs: tile, inputs: width };
    // A lone tile still holds its logits.
    if (tiles.length > 1)
      encodeLinear(recorder, { x: head.normed, weight, bias: null, y: head.scratch }, dims);
    headTileBackward.encode(
      recorder,
      { lse: head.lse, targets: head.targets, grad: dLogprobs, logits: head.scratch },
      { rows, tile_width: tile, tile_start: start, inverse_temperature: 1 / temperature },
    );
    encodeLinearBackwardInput(
      recorder,
      { dy: head.scratch, weight, dx: head.dNormed, accumulate: start > 0 },
      dims,
    );
    if (gradientTiles)
      encodeLinearBackwardWeight(
        recorder,
        { dy: head.scratch, x: head.normed, dweight: gradientTiles[i].view },
        dims,
      );
  }
  encodeNormBackward(
    recorder,
    {
      x: head.hidden,
      scale: head.normedScale,
      weight: weights.view("final_norm"),
      dy: head.dNormed,
      dx: head.dHidden,
      dweight: gradients?.view("final_norm") ?? null,
      accumulate: false,
    },
    { rows, width },
  );
  scatterRows.encode(
    recorder,
    { x: head.dHidden, index: head.index, y: dx },
    { rows, width, target_rows: sourceRows },
  );
}
