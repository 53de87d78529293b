/**
 * A trainable policy on one device: weights or adapters, gradients, moments and the buffers of one micro-batch. The trainer's
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
import type { AdapterSettings } from "./adapters/config.ts";
import { BackwardWorkspace, encodeLayersBackward } from "./backward.ts";
import { calibrateSubmits } from "./calibrate.ts";
import { compileModel } from "./compile.ts";
import type { ModelConfig } from "./config.ts";
import { type Attend, type Decoder, encodeLayers, type ModelWeights, makeDecoder } from "./decoder.ts";
import { encodeFinalNorm, encodeHead, encodeHeadBackward, HeadWorkspace } from "./head.ts";
import { Adapters } from "./lora.ts";
import { type MatrixPrecision, Parameters } from "./parameters.ts";
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

export interface PolicyOptions {
  config: ModelConfig;
  /** Rows of a micro-batch, at most. */
  capacity: number;
  /** Longest sequence in tokens. */
  maxPositions: number;
  /** Trains these beside a frozen model; every parameter without them. */
  adapters?: AdapterSettings | null;
  /** How a frozen model's matrices are kept; what is trained is always f32. */
  frozenPrecision?: MatrixPrecision;
  /** Computes activations again in the backward pass instead of keeping them. */
  recompute?: boolean;
}

export class Policy implements Disposable {
  readonly gpu: Gpu;
  readonly decoder: Decoder;
  readonly recorder: Recorder;
  /** The model; frozen where there are adapters. */
  readonly weights: Parameters;
  readonly adapters: Adapters | null;
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
  private readonly attend: Attend;
  private rows = 0;
  private selected = 0;

  /** Compiles the kernels and allocates. @throws GpuLimitError, ShaderError */
  static async create(gpu: Gpu, options: PolicyOptions): Promise<Policy> {
    const { config, adapters, capacity } = options;
    await compileModel(gpu, config, { precision: modelPrecision(options), adapted: Boolean(adapters) });
    await calibrateSubmits(gpu);
    return gpu.withRoom(`a policy with micro-batches of ${capacity} tokens`, () => new Policy(gpu, options));
  }

  /** Allocates; `create` compiles as well. The memory planner calls it on a device that only counts. */
  constructor(gpu: Gpu, options: PolicyOptions) {
    const { config, capacity, maxPositions, adapters = null, recompute = false } = options;
    const decoder = makeDecoder(gpu, config, maxPositions);
    this.gpu = gpu;
    this.decoder = decoder;
    this.recorder = new Recorder(gpu, "policy");
    this.weights = new Parameters(gpu, decoder.layout, "weights", modelPrecision(options));
    this.adapters = adapters ? new Adapters(gpu, config, adapters) : null;
    const { layout } = this.trained;
    this.gradients = new Parameters(gpu, layout, "gradients");
    this.firstMoments = new Parameters(gpu, layout, "first moments");
    this.secondMoments = new Parameters(gpu, layout, "second moments");
    const hiddenWidths = this.adapters?.hiddenWidths;
    this.workspace = new Workspace(
      gpu,
      config,
      capacity,
      recompute ? "inputs" : "all",
      "train",
      hiddenWidths,
    );
    this.backward = new BackwardWorkspace(decoder, capacity, "train", hiddenWidths);
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
    this.attend = (_, qkv, out, lse) => {
      const { heads, kvHeads: kv_heads, headDim: D } = config;
      attention(D).encode(
        this.recorder,
        { qkv, segments: this.workspace.segments, out, lse },
        { rows: this.rows, heads, kv_heads, head_dim: D, scale: 1 / Math.sqrt(D) },
      );
    };
  }

  /** What the optimiser changes. */
  get trained(): Parameters {
    return this.adapters?.parameters ?? this.weights;
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
    this.workspace.ids.write(batch.tokens);
    this.workspace.positions.write(batch.positions);
    this.workspace.segments.write(segments);
    this.head.index.write(batch.rows);
    this.head.targets.write(batch.targets);
    // A frozen table needs no gradient, and no list of who takes part in it.
    if (!this.adapters) {
      const plan = embeddingPlan(batch.tokens, this.decoder.config.vocabSize);
      this.plan.offsets.write(plan.offsets);
      this.plan.rows.write(plan.rows);
    }
    this.rows = rows;
    this.selected = batch.rows.length;
  }

  /** Records log-probabilities (`head.logprobs`) and entropies of the loaded targets under the policy. */
  forward(temperature: number): void {
    this.forwardWith({ base: this.weights, adapters: this.adapters }, temperature);
  }

  /** The same under a reference: other weights, or the policy's without its adapters. */
  forwardReference(reference: Parameters, temperature: number): void {
    this.forwardWith({ base: reference, adapters: null }, temperature);
  }

  private forwardWith(weights: ModelWeights, temperature: number): void {
    const { recorder, decoder, workspace, head, rows, selected } = this;
    encodeLayers(recorder, decoder, weights, workspace, rows, this.attend);
    encodeFinalNorm(recorder, decoder, weights.base, head, workspace.output, rows, selected);
    encodeHead(recorder, decoder, weights.base, head, selected, temperature);
  }

  /** Records the gradient of Σ dLogprobs · logprob, added to `gradients`; follows `forward`. */
  accumulate(dLogprobs: BufferView, temperature: number): void {
    const { recorder, decoder, weights, adapters, gradients, workspace, head, backward, rows, selected } =
      this;
    recorder.clear(backward.dx, 0, rows * decoder.config.width);
    encodeHeadBackward(
      recorder,
      decoder,
      weights,
      adapters ? null : gradients,
      head,
      dLogprobs,
      backward.dx,
      rows,
      selected,
      temperature,
    );
    const model = { weights: { base: weights, adapters }, gradients };
    encodeLayersBackward(recorder, decoder, model, workspace, backward, this.plan, rows, this.attend);
  }

  /** Records one AdamW step (arXiv:1711.05101) after clipping by global norm, then zeroes the gradients. `step` is from 1. */
  update(settings: AdamWSettings, step: number): void {
    const { recorder } = this;
    const { layout } = this.trained;
    let start = 0;
    for (const [s, { length }] of layout.shards.entries()) {
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
    for (const [s, { length: count, matrices }] of layout.shards.entries()) {
      adamw.encode(
        recorder,
        {
          gradient: this.gradients.shards[s],
          norm: this.norm,
          parameter: this.trained.shards[s],
          first_moment: this.firstMoments.shards[s],
          second_moment: this.secondMoments.shards[s],
        },
        {
          count,
          learning_rate: settings.learningRate,
          beta1: settings.beta1,
          beta2: settings.beta2,
          eps: settings.eps,
          // Norms and biases are not decayed.
          weight_decay: matrices ? settings.weightDecay : 0,
          correction1,
          correction2,
        },
      );
    }
    this.gradients.clear(recorder);
  }

  [Symbol.dispose](): void {
    this.recorder.dispose();
    this.adapters?.[Symbol.dispose]();
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

function modelPrecision({ adapters, frozenPrecision = "f32" }: PolicyOptions): MatrixPrecision {
  return adapters ? frozenPrecision : "f32";
}
