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
import { type Attend, type Decoder, encodeLayer, type ModelWeights } from "./decoder.ts";
import { encodeLinearBackwardInput, encodeLinearBackwardWeight } from "./linear.ts";
import { encodeAdapterHidden, encodeAdaptersBackward } from "./lora.ts";
import type { Parameters } from "./parameters.ts";
import type { FusedBlock, HiddenWidths, Workspace } from "./workspace.ts";

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
  /** (N, T·r) of the adapters, at their widest. */
  readonly dHidden: GpuBuffer;
  private readonly buffers: GpuBuffer[] = [];

  /** @throws GpuLimitError */
  constructor(decoder: Decoder, capacity: number, label: string, hiddenWidths: HiddenWidths = {}) {
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
    const widest = Math.max(0, ...Object.values(hiddenWidths));
    this.dHidden = widest > 0 ? make("d hidden", widest) : this.dNormed;
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
  /** Null where the weight is frozen. */
  dweight: BufferView | null;
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
  if (dweight)
    rmsNormWeightBackward.encode(recorder, { x, rrms: scale, dy, dweight }, { rows, width, accumulate: 1 });
}

/** What the backward pass computes with and adds to. */
export interface BackwardModel {
  weights: ModelWeights;
  /** Shaped like the base weights, or like the adapters where there are some: the base is frozen then. */
  gradients: Parameters;
}

/**
 * Records the backward pass of `encodeLayers` over a kept workspace, from `backward.dx` (the gradient of the residual
 * stream after the last layer) down to the embedding. `plan` lists, per token id, the rows that hold it; `attend` is
 * needed where the workspace kept the layers' inputs only.
 */
export function encodeLayersBackward(
  recorder: Recorder,
  decoder: Decoder,
  { weights, gradients }: BackwardModel,
  workspace: Workspace,
  backward: BackwardWorkspace,
  plan: { offsets: GpuBuffer; rows: GpuBuffer },
  rows: number,
  attend: Attend,
): void {
  const { config } = decoder;
  const { base, adapters } = weights;
  const full = adapters ? null : gradients;
  const { width: C, heads: H, kvHeads: K, headDim: D, mlpWidth: F } = config;
  const { dx, dNormed, dActivated, dGateUp, dAttended, delta, dQkv, dQkvRaw, dHidden } = backward;
  const heads = { rows, heads: H, kv_heads: K, head_dim: D };
  const scale = 1 / Math.sqrt(D);
  for (let layer = config.layers - 1; layer >= 0; layer--) {
    const a = workspace.layers[layer];
    // The last layer's activations are those that the forward pass computed last.
    if (workspace.kept === "inputs" && layer < config.layers - 1) {
      encodeLayer(recorder, decoder, weights, workspace, layer, rows, attend);
      // The last product is not needed again, but what its adapters make of its input is.
      if (adapters) {
        const down = { layer, block: "down" as const, rows, inputs: F };
        encodeAdapterHidden(recorder, adapters, down, { x: a.activated, activations: a });
      }
    }
    const w = (key: string) => base.view(`${layer}.${key}`);
    const g = (key: string) => full?.view(`${layer}.${key}`) ?? null;
    const project = (
      block: FusedBlock,
      { outputs, inputs }: { outputs: number; inputs: number },
      views: { x: BufferView; dy: BufferView; dx: BufferView },
    ) => {
      const { x, dy } = views;
      const dims = { rows, outputs, inputs };
      const dweight = g(block);
      if (dweight) encodeLinearBackwardWeight(recorder, { dy, x, dweight }, dims);
      encodeLinearBackwardInput(recorder, { dy, weight: w(block), dx: views.dx }, dims);
      if (adapters)
        encodeAdaptersBackward(
          recorder,
          { adapters, gradients, dHidden },
          { layer, block, ...dims },
          { ...views, activations: a },
        );
    };

    project("down", { outputs: C, inputs: F }, { x: a.activated, dy: dx, dx: dActivated });
    swigluBackward.encode(
      recorder,
      { gate_up: a.gateUp, dact: dActivated, dgate_up: dGateUp },
      { rows, width: F },
    );
    project("gate_up", { outputs: 2 * F, inputs: C }, { x: a.mlpNormed, dy: dGateUp, dx: dNormed });
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

    project("o", { outputs: C, inputs: H * D }, { x: a.attended, dy: dx, dx: dAttended });
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
      if (full) {
        const normed = { x: a.qkvRaw, rrms: a.headScale, dy: dQkv };
        for (const [key, first, count] of [
          ["q_norm", 0, H],
          ["k_norm", H, K],
        ] as const) {
          headNormWeightBackward.encode(
            recorder,
            { ...normed, dweight: full.view(`${layer}.${key}`) },
            { ...heads, first, count, accumulate: 1 },
          );
        }
      }
    }
    const outputs = (H + 2 * K) * D;
    const dbias = config.attentionBias ? g("qkv_bias") : null;
    if (dbias) biasBackward.encode(recorder, { dy: dQkvRaw, dbias }, { rows, outputs, accumulate: 1 });
    project("qkv", { outputs, inputs: C }, { x: a.normed, dy: dQkvRaw, dx: dNormed });
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
  const tables = full?.parts("embedding") ?? [];
  for (const { view: dtable, start: first, rows: count } of tables) {
    embeddingBackward.encode(
      recorder,
      { offsets: plan.offsets, rows: plan.rows, dy: dx, dtable },
      { vocab: count, first, width: C, rows, accumulate: 1 },
    );
  }
}
