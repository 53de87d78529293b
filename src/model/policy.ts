/**
 * A trainable policy on one device: weights, gradients, moments and the buffers of one micro-batch. The trainer's
 * engine and the distiller drive it; it knows neither losses nor rewards. Nothing is allocated after the constructor.
 */
import type { BufferView, GpuBuffer } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";
import { attention } from "../kernels/attention/attention.ts";
import { embeddingPlan } from "../kernels/embedding/embedding_plan.ts";
import { adamw } from "../kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../kernels/optimizer/clip_coefficient.ts";
import { gradNorm, gradNormPartials } from "../kernels/optimizer/grad_norm.ts";
import { BackwardWorkspace, encodeLayersBackward } from "./backward.ts";
import { calibrateSubmits } from "./calibrate.ts";
import { compileModel } from "./compile.ts";
import type { ModelConfig } from "./config.ts";
import { type Decoder, encodeLayers, makeDecoder } from "./decoder.ts";
import { encodeFinalNorm, encodeHead, encodeHeadBackward, HeadWorkspace } from "./head.ts";
import { Parameters } from "./parameters.ts";
import { Workspace } from "./workspace.ts";

export interface AdamWSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** Clips the global gradient norm; Infinity leaves it. */
  maxGradNorm: number;
}

/** Rows of packed sequences: what a micro-batch uploads. */
export interface PackedRows {
  /** (N) */
  tokens: Uint32Array;
  /** (N) */
  positions: Uint32Array;
  /** (B + 1) where each sequence starts. */
  offsets: Uint32Array;
  /** (M) rows whose next token is predicted. */
  rows: Uint32Array;
  /** (M) */
  targets: Uint32Array;
}

export class Policy implements Disposable {
  readonly gpu: Gpu;
  readonly decoder: Decoder;
  readonly recorder: Recorder;
  readonly weights: Parameters;
  readonly gradients: Parameters;
  readonly firstMoments: Parameters;
  readonly secondMoments: Parameters;
  readonly workspace: Workspace;
  readonly head: HeadWorkspace;
  /** (2) global gradient norm before clipping, and the clip coefficient. */
  readonly norm: GpuBuffer;
  private readonly backward: BackwardWorkspace;
  private readonly partials: GpuBuffer;
  private readonly plan: { offsets: GpuBuffer; rows: GpuBuffer };
  private rows = 0;
  private selected = 0;

  /** Compiles the kernels and allocates for micro-batches of `capacity` rows. @throws GpuLimitError, ShaderError */
  static async create(
    gpu: Gpu,
    config: ModelConfig,
    capacity: number,
    maxPositions: number,
  ): Promise<Policy> {
    await compileModel(gpu, config);
    await calibrateSubmits(gpu);
    return gpu.withRoom(
      `a policy with micro-batches of ${capacity} tokens`,
      () => new Policy(gpu, makeDecoder(gpu, config, maxPositions), capacity),
    );
  }

  private constructor(gpu: Gpu, decoder: Decoder, capacity: number) {
    this.gpu = gpu;
    this.decoder = decoder;
    this.recorder = new Recorder(gpu, "policy");
    const { layout, config } = decoder;
    this.weights = new Parameters(gpu, layout, "weights");
    this.gradients = new Parameters(gpu, layout, "gradients");
    this.firstMoments = new Parameters(gpu, layout, "first moments");
    this.secondMoments = new Parameters(gpu, layout, "second moments");
    this.workspace = new Workspace(gpu, config, capacity, true, "train");
    this.backward = new BackwardWorkspace(decoder, capacity, "train");
    this.head = new HeadWorkspace(decoder, capacity, "head");
    this.partials = gpu.buffer(
      "norm partials",
      layout.shards.reduce((sum, s) => sum + gradNormPartials(s.length), 0),
    );
    this.norm = gpu.buffer("gradient norm", 2);
    this.plan = {
      offsets: gpu.buffer("token offsets", config.vocabSize + 1),
      rows: gpu.buffer("token rows", capacity),
    };
  }

  /** Another set of weights with the same layout (a frozen reference). @throws GpuLimitError */
  frozenCopy(shards: readonly Float32Array[]): Parameters {
    const copy = new Parameters(this.gpu, this.decoder.layout, "reference");
    copy.write(shards);
    return copy;
  }

  /** Uploads a micro-batch. Submits what was recorded before, which may still use the buffers. @throws RangeError */
  load(batch: PackedRows): void {
    const rows = batch.tokens.length;
    if (rows > this.workspace.capacity) {
      throw new RangeError(
        `Cannot load a micro-batch of ${rows} rows: the workspace holds ${this.workspace.capacity}`,
      );
    }
    this.recorder.submit();
    const segments = new Uint32Array(2 * rows);
    for (let b = 0; b + 1 < batch.offsets.length; b++) {
      for (let n = batch.offsets[b]; n < batch.offsets[b + 1]; n++)
        segments.set([batch.offsets[b], batch.offsets[b + 1]], 2 * n);
    }
    const plan = embeddingPlan(batch.tokens, this.decoder.config.vocabSize);
    this.workspace.ids.write(batch.tokens);
    this.workspace.positions.write(batch.positions);
    this.workspace.segments.write(segments);
    this.head.index.write(batch.rows);
    this.head.targets.write(batch.targets);
    this.plan.offsets.write(plan.offsets);
    this.plan.rows.write(plan.rows);
    this.rows = rows;
    this.selected = batch.rows.length;
  }

  /** Records log-probabilities (`head.logprobs`) and entropies of the loaded targets under `weights`. */
  forward(weights: Parameters, temperature: number): void {
    const { recorder, decoder, workspace, head, rows, selected } = this;
    const { heads, kvHeads: kv_heads, headDim: D } = decoder.config;
    const kernel = attention(D);
    encodeLayers(recorder, decoder, weights, workspace, rows, (_, qkv, out, lse) =>
      kernel.encode(
        recorder,
        { qkv, segments: workspace.segments, out, lse },
        { rows, heads, kv_heads, head_dim: D, scale: 1 / Math.sqrt(D) },
      ),
    );
    encodeFinalNorm(recorder, decoder, weights, head, workspace.output, rows, selected);
    encodeHead(recorder, decoder, weights, head, selected, temperature);
  }

  /** Records the gradient of Σ dLogprobs · logprob, added to `gradients`; follows `forward` with the same weights. */
  accumulate(dLogprobs: BufferView, temperature: number): void {
    const { recorder, decoder, weights, gradients, workspace, head, backward, rows, selected } = this;
    recorder.clear(backward.dx, 0, rows * decoder.config.width);
    encodeHeadBackward(
      recorder,
      decoder,
      weights,
      gradients,
      head,
      dLogprobs,
      backward.dx,
      rows,
      selected,
      temperature,
    );
    encodeLayersBackward(recorder, decoder, weights, gradients, workspace, backward, this.plan, rows);
  }

  /** Records one AdamW step (arXiv:1711.05101) after clipping by global norm, then zeroes the gradients. `step` is from 1. */
  update(settings: AdamWSettings, step: number): void {
    const { recorder, decoder } = this;
    let start = 0;
    for (let s = 0; s < decoder.layout.shards.length; s++) {
      const { length } = decoder.layout.shards[s];
      gradNorm.encode(
        recorder,
        { gradient: this.gradients.shards[s], partials: this.partials },
        { count: length, start },
      );
      start += gradNormPartials(length);
    }
    clipCoefficient.encode(
      recorder,
      { partials: this.partials, norm: this.norm },
      { count: start, max_norm: Number.isFinite(settings.maxGradNorm) ? settings.maxGradNorm : 3e38 },
    );
    // The shader sees the betas rounded to f32: the corrections must be of the same numbers.
    const correction1 = 1 - Math.fround(settings.beta1) ** step;
    const correction2 = 1 - Math.fround(settings.beta2) ** step;
    for (let s = 0; s < decoder.layout.shards.length; s++) {
      const { length, decayLength } = decoder.layout.shards[s];
      const ranges = [
        { start: 0, count: decayLength, weight_decay: settings.weightDecay },
        { start: decayLength, count: length - decayLength, weight_decay: 0 },
      ];
      for (const { start: at, count, weight_decay } of ranges) {
        if (count === 0) continue;
        adamw.encode(
          recorder,
          {
            gradient: this.gradients.shards[s].view(at, count),
            norm: this.norm,
            parameter: this.weights.shards[s].view(at, count),
            first_moment: this.firstMoments.shards[s].view(at, count),
            second_moment: this.secondMoments.shards[s].view(at, count),
          },
          {
            count,
            learning_rate: settings.learningRate,
            beta1: settings.beta1,
            beta2: settings.beta2,
            eps: settings.eps,
            weight_decay,
            correction1,
            correction2,
          },
        );
      }
    }
    this.gradients.clear(recorder);
  }

  [Symbol.dispose](): void {
    for (const held of [
      this.weights,
      this.gradients,
      this.firstMoments,
      this.secondMoments,
      this.workspace,
      this.backward,
      this.head,
      this.partials,
      this.norm,
      this.plan.offsets,
      this.plan.rows,
      this.decoder.rotations,
    ]) {
      held[Symbol.dispose]();
    }
  }
}
