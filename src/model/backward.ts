/** The decoder's backward pass: gradients of every parameter, accumulated over micro-batches. */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { attentionBackwardKeyValue } from "../kernels/attention/attention_backward_key_value.ts";
import { attentionBackwardQuery } from "../kernels/attention/attention_backward_query.ts";
import { attentionDelta } from "../kernels/attention/attention_delta.ts";
import { embeddingBackward } from "../kernels/embedding/embedding_backward.ts";
import { ropeBackward } from "../kernels/embedding/rope_backward.ts";
import { biasBackward } from "../kernels/linear/bias_backward.ts";
import { swigluBackward } from "../kernels/mlp/swiglu_backward.ts";
import { headNormBackward } from "../kernels/norm/head_norm_backward.ts";
import { headNormWeightBackward } from "../kernels/norm/head_norm_weight_backward.ts";
import { rmsNormBackward } from "../kernels/norm/rms_norm_backward.ts";
import { rmsNormWeightBackward } from "../kernels/norm/rms_norm_weight_backward.ts";
import type { Decoder } from "./decoder.ts";
import { encodeLinearBackwardInput, encodeLinearBackwardWeight } from "./linear.ts";
import type { Parameters } from "./parameters.ts";
import type { Workspace } from "./workspace.ts";

/** Gradient buffers of one micro-batch of N rows, shared by all layers. */
export class BackwardWorkspace implements Disposable {
  /** (N, C) gradient of the residual stream. */
  readonly dx: GpuBuffer;
  /** (N, C) */
  readonly dNormed: GpuBuffer;
  /** (N, F) */
  readonly dActivated: GpuBuffer;
  /** (N, 2F) */
  readonly dGateUp: GpuBuffer;
  /** (N, H, D) */
  readonly dAttended: GpuBuffer;
  /** (N, H) */
  readonly delta: GpuBuffer;
  /** (N, H+2K, D) */
  readonly dQkv: GpuBuffer;
  /** (N, H+2K, D) before the per-head norm; the same buffer where the model has none. */
  readonly dQkvRaw: GpuBuffer;
  private readonly buffers: GpuBuffer[] = [];

  /** @throws GpuLimitError */
  constructor(decoder: Decoder, capacity: number, label: string) {
    const { gpu, config } = decoder;
    const make = (name: string, width: number) => {
      const buffer = gpu.buffer(`${label} ${name}`, capacity * width);
      this.buffers.push(buffer);
      return buffer;
    };
    const heads = config.heads + 2 * config.kvHeads;
    this.dx = make("dx", config.width);
    this.dNormed = make("d normed", config.width);
    this.dActivated = make("d activated", config.mlpWidth);
    this.dGateUp = make("d gate up", 2 * config.mlpWidth);
    this.dAttended = make("d attended", config.heads * config.headDim);
    this.delta = make("delta", config.heads);
    this.dQkv = make("d qkv", heads * config.headDim);
    this.dQkvRaw = config.qkNorm ? make("d qkv raw", heads * config.headDim) : this.dQkv;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.buffers) buffer[Symbol.dispose]();
  }
}

export interface NormBackwardViews {
  x: BufferView;
  scale: BufferView;
  weight: BufferView;
  dy: BufferView;
  dx: BufferView;
  dweight: BufferView;
  /** Add to dx instead of overwriting it. */
  accumulate: boolean;
}

/** Records both halves of RMSNorm's backward pass; the weight's gradient accumulates. */
export function encodeNormBackward(
  recorder: Recorder,
  views: NormBackwardViews,
  { rows, width }: { rows: number; width: number },
): void {
  const { x, scale, weight, dy, dx, dweight, accumulate } = views;
  rmsNormBackward.encode(
    recorder,
    { x, weight, rrms: scale, dy, dx },
    { rows, width, accumulate: accumulate ? 1 : 0 },
  );
  rmsNormWeightBackward.encode(recorder, { x, rrms: scale, dy, dweight }, { rows, width, accumulate: 1 });
}

/**
 * Records the backward pass of `encodeLayers` over a kept workspace, from `backward.dx` (the gradient of the residual
 * stream after the last layer) down to the embedding. `plan` lists, per token id, the rows that hold it.
 */
export function encodeLayersBackward(
  recorder: Recorder,
  decoder: Decoder,
  weights: Parameters,
  gradients: Parameters,
  workspace: Workspace,
  backward: BackwardWorkspace,
  plan: { offsets: GpuBuffer; rows: GpuBuffer },
  rows: number,
): void {
  const { config } = decoder;
  const { width: C, heads: H, kvHeads: K, headDim: D, mlpWidth: F } = config;
  const { dx, dNormed, dActivated, dGateUp, dAttended, delta, dQkv, dQkvRaw } = backward;
  const heads = { rows, heads: H, kv_heads: K, head_dim: D };
  const scale = 1 / Math.sqrt(D);
  for (let layer = config.layers - 1; layer >= 0; layer--) {
    const a = workspace.layers[layer];
    const w = (key: string) => weights.view(`${layer}.${key}`);
    const g = (key: string) => gradients.view(`${layer}.${key}`);

    encodeLinearBackwardWeight(
      recorder,
      { dy: dx, x: a.activated, dweight: g("down") },
      { rows, outputs: C, inputs: F },
    );
    encodeLinearBackwardInput(
      recorder,
      { dy: dx, weight: w("down"), dx: dActivated },
      { rows, outputs: C, inputs: F },
    );
    swigluBackward.encode(
      recorder,
      { gate_up: a.gateUp, dact: dActivated, dgate_up: dGateUp },
      { rows, width: F },
    );
    encodeLinearBackwardWeight(
      recorder,
      { dy: dGateUp, x: a.mlpNormed, dweight: g("gate_up") },
      { rows, outputs: 2 * F, inputs: C },
    );
    encodeLinearBackwardInput(
      recorder,
      { dy: dGateUp, weight: w("gate_up"), dx: dNormed },
      { rows, outputs: 2 * F, inputs: C },
    );
    encodeNormBackward(
      recorder,
      {
        x: a.middle,
        scale: a.mlpNormedScale,
        weight: w("mlp_norm"),
        dy: dNormed,
        dx,
        dweight: g("mlp_norm"),
        accumulate: true,
      },
      { rows, width: C },
    );

    encodeLinearBackwardWeight(
      recorder,
      { dy: dx, x: a.attended, dweight: g("o") },
      { rows, outputs: C, inputs: H * D },
    );
    encodeLinearBackwardInput(
      recorder,
      { dy: dx, weight: w("o"), dx: dAttended },
      { rows, outputs: C, inputs: H * D },
    );
    const attention = { ...heads, scale };
    attentionDelta.encode(
      recorder,
      { out: a.attended, dout: dAttended, delta },
      { rows, heads: H, head_dim: D },
    );
    attentionBackwardQuery(D).encode(
      recorder,
      { qkv: a.qkv, segments: workspace.segments, dout: dAttended, lse: a.lse, delta, dqkv: dQkv },
      attention,
    );
    attentionBackwardKeyValue(D).encode(
      recorder,
      { qkv: a.qkv, segments: workspace.segments, dout: dAttended, lse: a.lse, delta, dqkv: dQkv },
      attention,
    );
    ropeBackward.encode(
      recorder,
      { positions: workspace.positions, table: decoder.rotations, dqkv: dQkv },
      { ...heads, max_positions: decoder.maxPositions },
    );
    if (config.qkNorm) {
      headNormBackward.encode(
        recorder,
        {
          x: a.qkvRaw,
          q_weight: w("q_norm"),
          k_weight: w("k_norm"),
          rrms: a.headScale,
          dy: dQkv,
          dx: dQkvRaw,
        },
        heads,
      );
      headNormWeightBackward.encode(
        recorder,
        { x: a.qkvRaw, rrms: a.headScale, dy: dQkv, dweight: g("q_norm") },
        { ...heads, first: 0, count: H, accumulate: 1 },
      );
      headNormWeightBackward.encode(
        recorder,
        { x: a.qkvRaw, rrms: a.headScale, dy: dQkv, dweight: g("k_norm") },
        { ...heads, first: H, count: K, accumulate: 1 },
      );
    }
    const projection = { rows, outputs: (H + 2 * K) * D, inputs: C };
    if (config.attentionBias)
      biasBackward.encode(
        recorder,
        { dy: dQkvRaw, dbias: g("qkv_bias") },
        { rows, outputs: projection.outputs, accumulate: 1 },
      );
    encodeLinearBackwardWeight(recorder, { dy: dQkvRaw, x: a.normed, dweight: g("qkv") }, projection);
    encodeLinearBackwardInput(recorder, { dy: dQkvRaw, weight: w("qkv"), dx: dNormed }, projection);
    encodeNormBackward(
      recorder,
      {
        x: a.input,
        scale: a.normedScale,
        weight: w("input_norm"),
        dy: dNormed,
        dx,
        dweight: g("input_norm"),
        accumulate: true,
      },
      { rows, width: C },
    );
  }
  embeddingBackward.encode(
    recorder,
    { offsets: plan.offsets, rows: plan.rows, dy: dx, dtable: gradients.view("embedding") },
    { vocab: config.vocabSize, width: C, rows, accumulate: 1, first: 0 },
  );
}
