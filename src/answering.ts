/**
 * Answers prompts with one model on one device in the calling thread, without workers: for `eval` (whole batches, decoded
 * continuously), for `generate` (one prompt, token by token) and for the page's chat, which asks one loaded model again and
 * again. Front ends call it; it knows no command line.
 */
import { settleHalfForm } from "./bench/require_self_test.ts";
import type { ModelFiles, ModelText } from "./data/source.ts";
import { modelWeights } from "./data/weights_handle.ts";
import { ConfigError, WebgrpoError } from "./errors.ts";
import type { PromptGroup, SamplingOptions } from "./generator/api.ts";
import type { DecodePassOptions } from "./generator/decode_kernels.ts";
import { DecodePass, type DecodeRow } from "./generator/decode_pass.ts";
import { GeneratorEngine } from "./generator/engine.ts";
import { EVALUATION_IDS } from "./generator/pool.ts";
import { BROKEN, RUNNING, readRow, STOP } from "./generator/token_ring.ts";
import type { Gpu } from "./gpu/device.ts";
import { type AdapterSettings, adapterScale } from "./model/adapters/config.ts";
import type { AdapterFiles } from "./model/adapters/peft.ts";
import { loadParameters, memoryTensors } from "./model/load.ts";
import type { MatrixPrecision } from "./model/parameters.ts";
import type { FinishReason, PromptTokens, Rollout } from "./rollout.ts";
import type { StopTexts, StopWatch } from "./text/stop_texts.ts";

/** Sequences decoded side by side, at most. */
const MAX_CONCURRENCY = 128;
/** Longest completion where neither the user nor the model's generation_config.json says. */
const DEFAULT_MAX_TOKENS = 256;
/** Decode steps between two read-backs: few while somebody watches the text come. */
const STREAM_CHUNK = 4;
const EVALUATION_CHUNK = 8;

/** A model whose weights are loaded, and the ids that end its completions. */
export interface AnsweringModel {
  files: ModelText | ModelFiles;
  eosIds: readonly number[];
  /** Of its matrices and of the key/value cache; f32 by default. */
  precision?: MatrixPrecision;
}

export interface AnswerRequest {
  prompts: readonly PromptTokens[];
  /** Completions of each prompt. */
  samples: number;
  sampling: SamplingOptions;
  /** Texts that end a completion where they first appear. */
  stops?: StopTexts | null;
  /** Checked between two chunks; its reason is thrown. */
  signal?: AbortSignal;
  /** Completions finished so far. */
  onProgress?(finished: number, total: number): void;
}

export interface StreamRequest {
  /** (T) ids, never empty. */
  prompt: Uint32Array;
  samples: number;
  sampling: SamplingOptions;
  /** Texts that end a completion where they first appear. */
  stops?: StopTexts | null;
  signal?: AbortSignal;
  /**
   * New tokens of sample `sample`, the end-of-sequence token included, with the natural logs of their probabilities;
   * `finish` is null while it goes on.
   */
  onTokens?(
    sample: number,
    tokens: readonly number[],
    finish: FinishReason | null,
    logprobs: readonly number[],
  ): void;
}

export interface Completion {
  tokens: number[];
  /** Natural logs of the probabilities the tokens were drawn with. */
  logprobs: number[];
  finishReason: FinishReason;
}

/**
 * The longest completion to allow: what the user wants, else `max_new_tokens` of generation_config.json, else 256, the
 * latter two at most half of what the model was made for.
 * @throws ConfigError where the wish leaves no room for a prompt
 */
export function completionLimit(
  { config, generationConfig }: Pick<ModelText, "config" | "generationConfig">,
  wanted?: number,
): number {
  if (wanted !== undefined) {
    if (wanted < config.maxPositions) return wanted;
    throw new ConfigError(
      "generator/no-room",
      `Cannot generate ${wanted} tokens after a prompt: the model was made for ${config.maxPositions} in all`,
      { hint: `set \`--max-tokens\` below ${config.maxPositions}` },
    );
  }
  const noted = generationConfig?.max_new_tokens;
  const usual =
    typeof noted === "number" && Number.isInteger(noted) && noted >= 1 ? noted : DEFAULT_MAX_TOKENS;
  return Math.max(1, Math.min(usual, Math.floor(config.maxPositions / 2)));
}

/** Answers every prompt `samples` times, in order. @throws GpuLimitError, WebgrpoError `generator/not-finite` */
export async function answerPrompts(
  gpu: Gpu,
  model: AnsweringModel,
  request: AnswerRequest,
): Promise<Rollout[][]> {
  const { prompts, samples, sampling, stops, signal, onProgress } = request;
  const { config } = model.files;
  const longest = prompts.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const maxSequence = longest + sampling.maxTokens;
  const options = {
    config,
    concurrency: roomFor(gpu, model, maxSequence, prompts.length * samples),
    maxSequence,
    decodeChunk: EVALUATION_CHUNK,
    recomputeCache: false,
    eosIds: [...model.eosIds],
    ...(await precisions(gpu, model)),
  };
  using engine = await GeneratorEngine.create(gpu, options, stops);
  await engine.load(await modelWeights(model.files), 0);
  engine.admit(prompts.map((prompt, i) => promptGroup(prompt, i, samples, sampling)));
  const answers: Rollout[][] = prompts.map(() => []);
  let finished = 0;
  while (engine.busy) {
    signal?.throwIfAborted();
    for (const rollout of await engine.advance()) {
      answers[rollout.groupId].push(rollout);
      finished++;
    }
    onProgress?.(finished, prompts.length * samples);
  }
  return answers.map((rollouts) => rollouts.sort((a, b) => a.id - b.id));
}

/** Ids as a training run's evaluation has them, so that the same seed gives the same completions. */
function promptGroup(
  prompt: PromptTokens,
  index: number,
  samples: number,
  sampling: SamplingOptions,
): PromptGroup {
  return {
    groupId: index,
    problemId: prompt.problem.id,
    taskId: prompt.problem.taskId,
    promptTokens: prompt.tokens,
    rolloutIds: Uint32Array.from({ length: samples }, (_, k) => EVALUATION_IDS + index * samples + k),
    sampling,
  };
}

/** A completion on its way. */
interface StreamRow extends DecodeRow, Completion {
  sample: number;
  completion: number[];
  watch: StopWatch | null;
}

/** Completes one prompt and tells of tokens as they come. @throws GpuLimitError, WebgrpoError `generator/not-finite` */
export async function streamCompletions(
  gpu: Gpu,
  model: AnsweringModel,
  request: StreamRequest,
): Promise<Completion[]> {
  const { prompt, samples, sampling } = request;
  const maxSequence = prompt.length + sampling.maxTokens;
  using loaded = await LoadedModel.open(gpu, model, { concurrency: samples, maxSequence });
  return await loaded.stream(request);
}

/** A model that stays on the device: asked one thing after another, its weights are uploaded once. */
export class LoadedModel implements Disposable {
  private readonly pass: DecodePass;
  private readonly options: DecodePassOptions;

  /** @throws GpuLimitError, ShaderError, DataError */
  static async open(
    gpu: Gpu,
    model: AnsweringModel,
    wanted: { concurrency: number; maxSequence: number },
  ): Promise<LoadedModel> {
    const { maxSequence } = wanted;
    const { files, eosIds } = model;
    const options = {
      config: files.config,
      concurrency: roomFor(gpu, model, maxSequence, wanted.concurrency),
      maxSequence,
      decodeChunk: STREAM_CHUNK,
      eosIds: [...eosIds],
      ...(await precisions(gpu, model)),
    };
    const loaded = new LoadedModel(await DecodePass.create(gpu, options), options);
    return loaded.filled(async () => loadParameters(gpu, loaded.pass.weights, await modelWeights(files)));
  }

  private constructor(pass: DecodePass, options: DecodePassOptions) {
    this.pass = pass;
    this.options = options;
  }

  /** Prompt and completion together, at most. */
  get maxSequence(): number {
    return this.options.maxSequence;
  }

  /**
   * Another to be asked, with adapters beside the weights of this one: they alone are uploaded. This one must outlive it.
   * @throws GpuLimitError, ShaderError
   */
  async beside(adapter: AdapterFiles, eosIds: readonly number[]): Promise<LoadedModel> {
    const { weights, decoder } = this.pass;
    const options = { ...this.options, eosIds: [...eosIds], adapters: adapter.settings };
    const loaded = new LoadedModel(await DecodePass.create(decoder.gpu, options, weights), options);
    return loaded.filled(() => loaded.setAdapters(adapter));
  }

  /** Whether `setAdapters` can exchange what lies beside the weights for these. */
  takes({ settings }: AdapterFiles): boolean {
    const { adapters } = this.options;
    return Boolean(adapters && sameAdapters(adapters, settings));
  }

  /** Exchanges the adapters between two answers; the weights stay. @throws TypeError for those of another shape or scale */
  async setAdapters(adapter: AdapterFiles): Promise<void> {
    const { adapters, decoder } = this.pass;
    if (!adapters || !this.takes(adapter))
      throw new TypeError(
        "Cannot exchange adapters for those of another shape: load them beside the weights",
      );
    await loadParameters(decoder.gpu, adapters.parameters, memoryTensors(adapter.tensors));
  }

  /** Itself once filled in; gives the device's memory back where that fails. */
  private async filled(fill: () => Promise<void>): Promise<LoadedModel> {
    try {
      await fill();
      return this;
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** One call at a time. @throws RangeError for what does not fit, WebgrpoError `generator/not-finite` */
  async stream(request: StreamRequest): Promise<Completion[]> {
    const { prompt, samples, sampling, stops } = request;
    this.checkRoom(prompt.length, sampling.maxTokens);
    const completions: Completion[] = [];
    const { concurrency } = this.options;
    for (let first = 0; first < samples; first += concurrency) {
      const count = Math.min(concurrency, samples - first);
      const rows = Array.from({ length: count }, (_, slot) => ({
        ...startRow(prompt, first + slot, slot),
        watch: stops?.watch() ?? null,
      }));
      completions.push(...(await streamRows(this.pass, rows, request)));
    }
    return completions;
  }

  /** (V) logits of the token after `tokens`, at temperature 1. One call at a time. @throws RangeError */
  async nextLogits(tokens: Uint32Array): Promise<Float32Array> {
    this.checkRoom(tokens.length, 0);
    const rows = [startRow(tokens, 0, 0)];
    const anyWay = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 1, seed: 0 };
    this.pass.load(rows, 1);
    this.pass.prefill([{ tokens, slots: [0] }], rows, 0, anyWay);
    return await this.pass.readLogits(0);
  }

  private checkRoom(promptLength: number, maxTokens: number): void {
    if (promptLength >= 1 && promptLength + maxTokens <= this.maxSequence) return;
    throw new RangeError(
      `Cannot decode ${promptLength} prompt and up to ${maxTokens} completion tokens: 1 to ${this.maxSequence} in all are needed`,
    );
  }

  [Symbol.dispose](): void {
    this.pass[Symbol.dispose]();
  }
}

function sameAdapters(a: AdapterSettings, b: AdapterSettings): boolean {
  const modules = ({ targets }: AdapterSettings) => [...targets].sort().join();
  return a.rank === b.rank && adapterScale(a) === adapterScale(b) && modules(a) === modules(b);
}

function startRow(prompt: Uint32Array, sample: number, slot: number): StreamRow {
  const tokens: number[] = [];
  return {
    sample,
    rolloutId: sample,
    slot,
    prompt,
    completion: tokens,
    tokens,
    watch: null,
    logprobs: [],
    finishReason: "length",
    token: 0,
    position: prompt.length - 1,
    produced: 0,
  };
}

/** Decodes rows that share a prompt until all are done. */
async function streamRows(pass: DecodePass, all: StreamRow[], request: StreamRequest): Promise<Completion[]> {
  const { prompt, sampling, signal } = request;
  const steps = Math.min(STREAM_CHUNK, sampling.maxTokens - 1);
  let rows = all;
  for (let fresh = true; rows.length > 0; fresh = false) {
    signal?.throwIfAborted();
    pass.load(rows, sampling.maxTokens);
    if (fresh) pass.prefill([{ tokens: prompt, slots: rows.map(({ slot }) => slot) }], rows, 0, sampling);
    for (let step = 1; step <= steps; step++) pass.step(step, rows.length, sampling);
    const ring = await pass.read(steps, rows.length);
    const count = rows.length;
    // The prefill draws into step 0; what lies there later is of the chunk before.
    rows = rows.filter(
      (row, i) => takeTokens(row, ring, i, count, fresh ? 0 : 1, steps, request) === RUNNING,
    );
  }
  return all.map(({ tokens, logprobs, finishReason }) => ({ tokens, logprobs, finishReason }));
}

/** Appends what a chunk drew for one row, up to a stop text; returns its finish reason. */
function takeTokens(
  row: StreamRow,
  ring: Uint32Array,
  index: number,
  rows: number,
  from: number,
  steps: number,
  { onTokens }: StreamRequest,
): number {
  const drawn = readRow(ring, { row: index, rows, first: from, steps });
  const cut = row.watch?.push(drawn.tokens) ?? null;
  const reason = cut === null ? drawn.reason : STOP;
  if (reason === BROKEN) {
    throw new WebgrpoError("generator/not-finite", "Cannot generate: the model's logits are not finite", {
      hint: "Use an earlier checkpoint; these weights have diverged or are damaged.",
    });
  }
  const tokens = drawn.tokens.slice(0, cut ?? undefined);
  const logprobs = drawn.logprobs.slice(0, cut ?? undefined);
  row.tokens.push(...tokens);
  row.logprobs.push(...logprobs);
  row.token = row.tokens[row.tokens.length - 1];
  row.position = row.prompt.length + row.tokens.length - 1;
  row.produced = row.tokens.length;
  if (reason !== RUNNING) row.finishReason = reason === STOP ? "stop" : "length";
  onTokens?.(row.sample, tokens, reason === RUNNING ? null : row.finishReason, logprobs);
  return reason;
}

/** What a decode pass is told of the model's precision, once the driver's f16 was tried where it is wanted. */
async function precisions(gpu: Gpu, { precision = "f32" }: AnsweringModel) {
  if (precision === "f16") await settleHalfForm(gpu);
  return { precision, cachePrecision: precision };
}

/** Sequences side by side whose cache and logits each fit one binding of this GPU. */
function roomFor(
  gpu: Gpu,
  { files: { config }, precision = "f32" }: AnsweringModel,
  maxSequence: number,
  wanted: number,
): number {
  const elements = gpu.device.limits.maxStorageBufferBindingSize / 4;
  const cached = (maxSequence * config.kvHeads * config.headDim) / (precision === "f16" ? 2 : 1);
  const perSequence = Math.max(cached, config.vocabSize);
  return Math.max(1, Math.min(MAX_CONCURRENCY, wanted, Math.floor(elements / perSequence)));
}
