/**
 * The decoder's forward pass as a list of kernel calls (Llama arXiv:2302.13971, Qwen2 2407.10671, Qwen3 2505.09388).
 * Training, prefill and decode share it; they differ in how a layer attends, which the caller passes in.
 */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { rope } from "../kernels/embedding/rope.ts";
import { ropeTable } from "../kernels/embedding/rope_table.ts";
import { swiglu } from "../kernels/mlp/swiglu.ts";
import { headNorm } from "../kernels/norm/head_norm.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import type { ModelConfig } from "./config.ts";
import { layoutParameters, type ParameterLayout } from "./layout.ts";
import { encodeLinear } from "./linear.ts";
import type { Parameters } from "./parameters.ts";
import type { Workspace } from "./workspace.ts";

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

/**
 * Records the layers over `rows` rows of `workspace` (ids and positions are set); the residual stream after the last
 * layer is in `workspace.output`.
 */
export function encodeLayers(
  recorder: Recorder,
  decoder: Decoder,
  weights: Parameters,
  workspace: Workspace,
  rows: number,
  attend: Attend,
): void {
  const { config } = decoder;
  const { width: C, heads: H, kvHeads: K, headDim: D, mlpWidth: F, normEps: eps } = config;
  const first = workspace.layers[0]?.input ?? workspace.output;
  embedding.encode(
    recorder,
    { table: weights.view("embedding"), ids: workspace.ids, y: first },
    { rows, width: C, vocab: config.vocabSize, first: 0 },
  );
  for (let layer = 0; layer < config.layers; layer++) {
    const a = workspace.layers[layer];
    const next = workspace.layers[layer + 1]?.input ?? workspace.output;
    const w = (key: string) => weights.view(`${layer}.${key}`);

    rmsNorm.encode(
      recorder,
      { x: a.input, weight: w("input_norm"), y: a.normed, rrms: a.normedScale },
      { rows, width: C, eps },
    );
    encodeLinear(
      recorder,
      { x: a.normed, weight: w("qkv"), bias: config.attentionBias ? w("qkv_bias") : null, y: a.qkvRaw },
      { rows, outputs: (H + 2 * K) * D, inputs: C },
    );
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
    if (workspace.keep) recorder.copy(a.input, 0, a.middle, 0, rows * C);
    encodeLinear(
      recorder,
      { x: a.attended, weight: w("o"), bias: null, y: a.middle, accumulate: true },
      { rows, outputs: C, inputs: H * D },
    );

    rmsNorm.encode(
      recorder,
      { x: a.middle, weight: w("mlp_norm"), y: a.mlpNormed, rrms: a.mlpNormedScale },
      { rows, width: C, eps },
    );
    encodeLinear(
      recorder,
      { x: a.mlpNormed, weight: w("gate_up"), bias: null, y: a.gateUp },
      { rows, outputs: 2 * F, inputs: C },
    );
    swiglu.encode(recorder, { gate_up: a.gateUp, act: a.activated }, { rows, width: F });
    if (workspace.keep) recorder.copy(a.middle, 0, next, 0, rows * C);
    encodeLinear(
      recorder,
      { x: a.activated, weight: w("down"), bias: null, y: next, accumulate: true },
      { rows, outputs: C, inputs: F },
    );
  }
}
