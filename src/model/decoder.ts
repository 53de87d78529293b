/**
 * The decoder's forward pass as a list of kernel calls (Llama arXiv:2302.13971, Qwen2 2407.10671, Qwen3 2505.09388).
 * Training, prefill and decode share it; they differ in how a layer attends, which the caller passes in.
 */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { embeddingHalf } from "../kernels/embedding/embedding_half.ts";
import { rope } from "../kernels/embedding/rope.ts";
import { ropeTable } from "../kernels/embedding/rope_table.ts";
import { swiglu } from "../kernels/mlp/swiglu.ts";
import { headNorm } from "../kernels/norm/head_norm.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import type { ModelConfig } from "./config.ts";
import { layoutParameters, type ParameterLayout } from "./layout.ts";
import { encodeLinear } from "./linear.ts";
import { type Adapters, encodeAdapters } from "./lora.ts";
import type { Parameters } from "./parameters.ts";
import type { FusedBlock, Workspace } from "./workspace.ts";

/** A model's fixed parts on one device; weights come as `Parameters`, so that a reference policy shares the rest. */
export interface Decoder {
  gpu: Gpu;
  config: ModelConfig;
  layout: ParameterLayout;
  /** (maxPositions, D/2, 2) cosines and sines. */
  rotations: GpuBuffer;
  maxPositions: number;
}

/** Makes the parts of a decoder for sequences of up to `maxPositions` tokens. @throws GpuLimitError */
export function makeDecoder(gpu: Gpu, config: ModelConfig, maxPositions: number): Decoder {
  // By the guaranteed binding, not this GPU's: every thread and checkpoint must lay the same shards out.
  const layout = layoutParameters(config);
  const table = ropeTable(
    { headDim: config.headDim, theta: config.ropeTheta, scaling: config.ropeScaling },
    maxPositions,
  );
  return { gpu, config, layout, rotations: gpu.bufferFrom("rotations", table), maxPositions };
}

/** How layer `layer` attends: reads (rows, H+2K, D) `qkv`, writes (rows, H, D) `attended`. */
export type Attend = (layer: number, qkv: BufferView, attended: BufferView, lse: BufferView) => void;

/** What a forward pass computes with: a model, and adapters beside it where there are some. */
export interface ModelWeights {
  base: Parameters;
  adapters: Adapters | null;
}

/**
 * Records the layers over `rows` rows of `workspace` (ids and positions are set); the residual stream after the last
 * layer is in `workspace.output`.
 */
export function encodeLayers(
  recorder: Recorder,
  decoder: Decoder,
  weights: ModelWeights,
  workspace: Workspace,
  rows: number,
  attend: Attend,
): void {
  const { config } = decoder;
  const first = workspace.layers[0]?.input ?? workspace.output;
  encodeEmbedding(recorder, weights.base, workspace.ids, first, { rows, width: config.width });
  for (let layer = 0; layer < config.layers; layer++) {
    const { down } = encodeLayer(recorder, decoder, weights, workspace, layer, rows, attend);
    const { middle, activated } = workspace.layers[layer];
    const next = workspace.layers[layer + 1]?.input ?? workspace.output;
    if (workspace.kept !== "none") recorder.copy(middle, 0, next, 0, rows * config.width);
    down({ x: activated, y: next, accumulate: true });
  }
}

/** Rows of the table by token, part by part. */
function encodeEmbedding(
  recorder: Recorder,
  weights: Parameters,
  ids: BufferView,
  y: BufferView,
  dims: { rows: number; width: number },
): void {
  for (const { view: table, start: first, rows: vocab } of weights.parts("embedding")) {
    const kernel = table.precision === "f16" ? embeddingHalf(recorder.gpu.halfForm) : embedding;
    kernel.encode(recorder, { table, ids, y }, { ...dims, vocab, first });
  }
}

/**
 * Records one layer from its input up to the MLP's activations, which the caller projects down into the stream with what is
 * returned: the backward pass, which computes layers again, does not need that last product.
 */
export function encodeLayer(
  recorder: Recorder,
  decoder: Decoder,
  { base, adapters }: ModelWeights,
  workspace: Workspace,
  layer: number,
  rows: number,
  attend: Attend,
) {
  const { config } = decoder;
  const { width: C, heads: H, kvHeads: K, headDim: D, mlpWidth: F, normEps: eps } = config;
  const a = workspace.layers[layer];
  const w = (key: string) => base.view(`${layer}.${key}`);
  const project = (block: FusedBlock, outputs: number, inputs: number, bias: BufferView | null = null) => {
    return (views: { x: BufferView; y: BufferView; accumulate?: boolean }) => {
      encodeLinear(recorder, { ...views, weight: w(block), bias }, { rows, outputs, inputs });
      if (adapters)
        encodeAdapters(
          recorder,
          adapters,
          { layer, block, rows, outputs, inputs },
          { ...views, activations: a },
        );
    };
  };

  rmsNorm.encode(
    recorder,
    { x: a.input, weight: w("input_norm"), y: a.normed, rrms: a.normedScale },
    { rows, width: C, eps },
  );
  const qkvBias = config.attentionBias ? w("qkv_bias") : null;
  project("qkv", (H + 2 * K) * D, C, qkvBias)({ x: a.normed, y: a.qkvRaw });
  if (config.qkNorm) {
    headNorm.encode(
      recorder,
      { x: a.qkvRaw, q_weight: w("q_norm"), k_weight: w("k_norm"), y: a.qkv, rrms: a.headScale },
      { rows, heads: H, kv_heads: K, head_dim: D, eps },
    );
  }
  rope.encode(
    recorder,
    { positions: workspace.positions, table: decoder.rotations, qkv: a.qkv },
    { rows, heads: H, kv_heads: K, head_dim: D, max_positions: decoder.maxPositions },
  );
  attend(layer, a.qkv, a.attended, a.lse);
  if (workspace.kept !== "none") recorder.copy(a.input, 0, a.middle, 0, rows * C);
  project("o", C, H * D)({ x: a.attended, y: a.middle, accumulate: true });

  rmsNorm.encode(
    recorder,
    { x: a.middle, weight: w("mlp_norm"), y: a.mlpNormed, rrms: a.mlpNormedScale },
    { rows, width: C, eps },
  );
  project("gate_up", 2 * F, C)({ x: a.mlpNormed, y: a.gateUp });
  swiglu.encode(recorder, { gate_up: a.gateUp, act: a.activated }, { rows, width: F });
  return { down: project("down", C, F) };
}
