/**
 * The GPU half of decoding: cache, buffers and the recorded steps. Rows 0 … n are decoding; what a step needs of each
 * lies in `entries` and beside them, so that a whole chunk runs without the host.
 */
import { type BufferView, type GpuBuffer, viewFrom } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import { Recorder } from "../gpu/recorder.ts";
import { attention } from "../kernels/attention/attention.ts";
import { gatherRows } from "../kernels/embedding/gather_rows.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import { decodeAdvance, endTokens } from "../kernels/sampling/decode_advance.ts";
import { calibrateSubmits } from "../model/calibrate.ts";
import { forwardKernels } from "../model/compile.ts";
import { type Decoder, encodeLayers, type ModelWeights, makeDecoder } from "../model/decoder.ts";
import { encodeLogits } from "../model/head.ts";
import { rowChunks } from "../model/linear.ts";
import { Adapters } from "../model/lora.ts";
import { Parameters } from "../model/parameters.ts";
import { Workspace } from "../model/workspace.ts";
import type { SamplingOptions } from "./api.ts";
import { type DecodeKernels, type DecodePassOptions, decodeKernels } from "./decode_kernels.ts";

/** A row to decode. */
export interface DecodeRow {
  rolloutId: number;
  slot: number;
  prompt: Uint32Array;
  /** Sampled so far. */
  completion: readonly number[];
  /** The newest token, not in the cache yet, and its position. */
  token: number;
  position: number;
  /** Tokens sampled so far. */
  produced: number;
}

/** A prompt and the slots of the completions that share it. */
export interface PrefillPrompt {
  tokens: Uint32Array;
  slots: number[];
}

const NONE = 0xffffffff;

/** Rows of one prefill, at most: longer prompts go through in several passes, each attending the cache so far. */
const PREFILL_ROWS = 1024;
/** Completions that share a prompt for which its keys and values are stored in one pass. */
const PREFILL_FAN = 64;

export class DecodePass implements Disposable {
  readonly decoder: Decoder;
  readonly weights: Parameters;
  readonly adapters: Adapters | null;
  private readonly recorder: Recorder;
  private readonly model: ModelWeights;
  private readonly options: DecodePassOptions;
  private readonly decodeSpace: Workspace;
  private readonly prefillSpace: Workspace;
  /** (B, S, K, D) by layer. */
  private readonly keys: GpuBuffer[];
  private readonly values: GpuBuffer[];
  /** (B, 3) row, slot, position: where a step's keys and values go and what its query attends. */
  private readonly entries: GpuBuffer;
  /** (B, 4) row of logits, rollout id low and high, tokens drawn so far. */
  private readonly draws: GpuBuffer;
  /** (B, 2) tokens that may still be drawn, finish reason. */
  private readonly progress: GpuBuffer;
  /** (B, 4) what was just drawn. */
  private readonly sampled: GpuBuffer;
  /** (steps, B, 4) token, bits of log-probability and entropy, finish reason. */
  private readonly ring: GpuBuffer;
  /** (B, V) */
  private readonly logits: GpuBuffer;
  private readonly kernels: DecodeKernels;
  /** (E, 3) source row, slot, position: where prefilled keys and values go. */
  private readonly prefillEntries: GpuBuffer;
  /** (rows, 3) row, slot, position of the queries of a prompt that takes several passes. */
  private readonly queryEntries: GpuBuffer;
  /** (B) rows of the prefill whose logits are wanted. */
  private readonly lastRows: GpuBuffer;
  private readonly hidden: GpuBuffer;
  private readonly normed: GpuBuffer;
  private readonly normedScale: GpuBuffer;
  private readonly held: GpuBuffer[] = [];
  private readonly ownsWeights: boolean;

  /** @param shared weights of another pass that outlives this one; without them it has its own. @throws GpuLimitError, ShaderError */
  static async create(gpu: Gpu, options: DecodePassOptions, shared?: Parameters): Promise<DecodePass> {
    const { config, precision = "f32", adapters } = options;
    const { store, attend, sampler } = decodeKernels(gpu, options);
    await gpu.compile([
      ...forwardKernels(gpu, config, { precision, adapted: Boolean(adapters) }),
      store,
      attend,
      sampler,
      decodeAdvance,
    ]);
    await calibrateSubmits(gpu);
    return gpu.withRoom(
      `a generator of ${options.concurrency} sequences`,
      () => new DecodePass(gpu, options, shared),
    );
  }

  /** Allocates; `create` compiles as well. The memory planner calls it on a device that only counts. */
  constructor(gpu: Gpu, options: DecodePassOptions, shared?: Parameters) {
    const { config, concurrency: B, maxSequence: S, decodeChunk, adapters = null } = options;
    const { precision = "f32", cachePrecision = "f32" } = options;
    this.options = options;
    this.recorder = new Recorder(gpu, "generator");
    this.decoder = makeDecoder(gpu, config, S);
    this.weights = shared ?? new Parameters(gpu, this.decoder.layout, "weights", precision);
    this.ownsWeights = !shared;
    this.adapters = adapters ? new Adapters(gpu, config, adapters) : null;
    this.model = { base: this.weights, adapters: this.adapters };
    const widths = this.adapters?.hiddenWidths;
    const prefillRows = Math.min(PREFILL_ROWS, B * S);
    this.decodeSpace = new Workspace(gpu, config, B, "none", "decode", widths);
    this.prefillSpace = new Workspace(gpu, config, prefillRows, "none", "prefill", widths);
    const make = (name: string, length: number) => {
      const buffer = gpu.buffer(name, length);
      this.held.push(buffer);
      return buffer;
    };
    const cache = (B * S * config.kvHeads * config.headDim) / (cachePrecision === "f16" ? 2 : 1);
    this.keys = Array.from({ length: config.layers }, (_, i) => make(`keys ${i}`, cache));
    this.values = Array.from({ length: config.layers }, (_, i) => make(`values ${i}`, cache));
    this.entries = make("decode entries", 3 * B);
    this.draws = make("draws", 4 * B);
    this.progress = make("progress", 2 * B);
    this.sampled = make("sampled", 4 * B);
    this.ring = make("token ring", 4 * B * (decodeChunk + 1));
    this.logits = make("logits", B * config.vocabSize);
    this.kernels = decodeKernels(gpu, options);
    this.prefillEntries = make("prefill entries", 3 * prefillRows * Math.min(B, PREFILL_FAN));
    this.queryEntries = make("prefill queries", 3 * prefillRows);
    this.lastRows = make("last rows", B);
    this.hidden = make("last hidden", B * config.width);
    this.normed = make("last normed", B * config.width);
    this.normedScale = make("last scale", B);
  }

  /** Uploads the rows; those that have produced nothing yet are drawn for by `prefill`. */
  load(rows: readonly DecodeRow[], maxTokens: number): void {
    this.entries.write(Uint32Array.from(rows.flatMap((row, i) => [i, row.slot, row.position])));
    this.progress.write(Uint32Array.from(rows.flatMap((row) => [maxTokens - row.produced, 0])));
    this.decodeSpace.ids.write(Uint32Array.from(rows, (row) => row.token));
    this.decodeSpace.positions.write(Uint32Array.from(rows, (row) => row.position));
    this.draws.write(Uint32Array.from(rows.flatMap((row, i) => [i, row.rolloutId, 0, row.produced])));
  }

  /** Prompts, in order, that one `prefill` can take. */
  fitting(prompts: readonly PrefillPrompt[]): number {
    const [first = []] = this.batches(prompts);
    return first.length;
  }

  /**
   * Fills the cache from prompts and draws the first token of every completion into ring step 0; rows from `old` on
   * belong to them in order. Returns the tokens pushed through. The prompts fit one batch (`fitting`).
   */
  prefill(
    prompts: readonly PrefillPrompt[],
    rows: readonly DecodeRow[],
    old: number,
    sampling: SamplingOptions,
  ): number {
    if (prompts.length === 0) return 0;
    const { recorder, decoder, weights } = this;
    const { width, normEps: eps } = decoder.config;
    const running = rows.slice(0, old).flatMap((row, i) => [i, row.rolloutId, 0, row.produced]);
    // Only the new rows draw, from the logits of their prompt.
    const fresh = prompts.flatMap(({ slots }, prompt) => slots.map(() => prompt));
    const draws = running
      .map((value, i) => (i % 4 === 0 ? NONE : value))
      .concat(fresh.flatMap((prompt, i) => [prompt, rows[old + i].rolloutId, 0, 0]));
    this.draws.write(Uint32Array.from(draws));
    const pushed = this.fillCache(prompts);
    const count = prompts.length;
    gatherRows.encode(
      recorder,
      { x: this.prefillSpace.output, index: this.lastRows, y: this.hidden },
      { rows: count, width, source_rows: this.prefillSpace.capacity },
    );
    rmsNorm.encode(
      recorder,
      { x: this.hidden, weight: weights.view("final_norm"), y: this.normed, rrms: this.normedScale },
      { rows: count, width, eps },
    );
    encodeLogits(recorder, decoder, weights, this.normed, this.logits, count);
    this.draw(rows.length, count, 0, sampling);
    recorder.submit();
    this.draws.write(Uint32Array.from(running));
    return pushed;
  }

  /** Computes the cache of running sequences anew with the present weights. Returns the tokens pushed through. */
  recompute(rows: readonly DecodeRow[]): number {
    const sequences = rows.map(({ prompt, completion, slot }) => ({
      tokens: Uint32Array.from([...prompt, ...completion.slice(0, -1)]),
      slots: [slot],
    }));
    let pushed = 0;
    for (const batch of this.batches(sequences)) {
      pushed += this.fillCache(batch);
      this.recorder.submit();
    }
    return pushed;
  }

  /** Records one decode step of rows 0 … rows; the tokens go to ring step `step`. */
  step(step: number, rows: number, sampling: SamplingOptions): void {
    const { recorder, decoder, weights, decodeSpace, logits } = this;
    const { width, normEps: eps } = decoder.config;
    encodeLayers(recorder, decoder, this.model, decodeSpace, rows, (layer, qkv, out) => {
      this.store(layer, qkv, this.entries, rows, rows);
      this.attendCache(layer, qkv, this.entries, rows, out);
    });
    rmsNorm.encode(
      recorder,
      { x: decodeSpace.output, weight: weights.view("final_norm"), y: this.normed, rrms: this.normedScale },
      { rows, width, eps },
    );
    encodeLogits(recorder, decoder, weights, this.normed, logits, rows);
    this.draw(rows, rows, step, sampling);
  }

  /** Stores keys and values of `rows` rows of `qkv` where `count` entries say. */
  private store(layer: number, qkv: BufferView, entries: BufferView, count: number, rows: number): void {
    const cache = { cache_k: this.keys[layer], cache_v: this.values[layer] };
    this.kernels.store.encode(
      this.recorder,
      { qkv, entries, ...cache },
      { ...this.cacheDims(), entries: count, rows },
    );
  }

  /** Each row's query attends the cache of its slot, up to its own position; cut between rows, as linear layers are. */
  private attendCache(
    layer: number,
    qkv: BufferView,
    entries: BufferView,
    rows: number,
    out: BufferView,
  ): void {
    const cache = { cache_k: this.keys[layer], cache_v: this.values[layer] };
    const { heads, headDim } = this.decoder.config;
    const dims = { ...this.cacheDims(), source_rows: rows, scale: 1 / Math.sqrt(headDim) };
    // As much as a linear layer from a whole cache: the kernel counts its operations the same way.
    const alike = { rows, outputs: heads * headDim, inputs: this.options.maxSequence };
    for (const { start, rows: count } of rowChunks(alike, this.decoder.gpu.maxFlopsPerSubmit)) {
      const views = { entries: viewFrom(entries, 3 * start), out: viewFrom(out, start * heads * headDim) };
      this.kernels.attend.encode(this.recorder, { qkv, ...views, ...cache }, { ...dims, rows: count });
    }
  }

  private cacheDims() {
    const { heads, kvHeads: kv_heads, headDim: head_dim } = this.decoder.config;
    return { heads, kv_heads, head_dim, slots: this.options.concurrency, capacity: this.options.maxSequence };
  }

  /** Submits and reads ring steps 0 … steps (steps + 1, rows, 4). */
  async read(steps: number, rows: number): Promise<Uint32Array> {
    this.recorder.submit();
    return this.ring.readWords(0, 4 * rows * (steps + 1));
  }

  /** (V) the logits that the newest prefill or step left in row `row`. */
  readLogits(row: number): Promise<Float32Array> {
    const { vocabSize } = this.decoder.config;
    return this.logits.readFloats(row * vocabSize, vocabSize);
  }

  /** Cuts prompts into batches that fit the prefill workspace; what is too long for it is a batch of its own. */
  private *batches(prompts: readonly PrefillPrompt[]): Generator<PrefillPrompt[]> {
    let batch: PrefillPrompt[] = [];
    for (const prompt of prompts) {
      if (batch.length > 0 && this.passRows([...batch, prompt]) === null) {
        yield batch;
        batch = [];
      }
      batch.push(prompt);
    }
    if (batch.length > 0) yield batch;
  }

  /** Rows of the batch, or null where one pass cannot take them all. */
  private passRows(batch: readonly PrefillPrompt[]): number | null {
    const rows = batch.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const entries = batch.reduce((sum, { tokens, slots }) => sum + tokens.length * slots.length, 0);
    return rows <= this.prefillSpace.capacity && 3 * entries <= this.prefillEntries.length ? rows : null;
  }

  /** Records the layers over the batch's tokens, storing keys and values in every slot. Returns the tokens. */
  private fillCache(batch: readonly PrefillPrompt[]): number {
    const rows = this.passRows(batch);
    if (rows === null) return this.fillByPasses(batch[0]);
    const { recorder, decoder, prefillSpace } = this;
    const { heads, kvHeads: kv_heads, headDim: D } = decoder.config;
    const ids = new Uint32Array(rows);
    const positions = new Uint32Array(rows);
    const segments = new Uint32Array(2 * rows);
    const entries: number[] = [];
    const last: number[] = [];
    let at = 0;
    for (const { tokens, slots: fan } of batch) {
      ids.set(tokens, at);
      for (let t = 0; t < tokens.length; t++) {
        positions[at + t] = t;
        segments.set([at, at + tokens.length], 2 * (at + t));
        for (const slot of fan) entries.push(at + t, slot, t);
      }
      at += tokens.length;
      last.push(at - 1);
    }
    prefillSpace.ids.write(ids);
    prefillSpace.positions.write(positions);
    prefillSpace.segments.write(segments);
    this.prefillEntries.write(Uint32Array.from(entries));
    this.lastRows.write(Uint32Array.from(last));
    const kernel = attention(D);
    encodeLayers(recorder, decoder, this.model, prefillSpace, rows, (layer, qkv, out, lse) => {
      this.store(layer, qkv, this.prefillEntries, entries.length / 3, rows);
      kernel.encode(
        recorder,
        { qkv, segments: prefillSpace.segments, out, lse },
        { rows, heads, kv_heads, head_dim: D, scale: 1 / Math.sqrt(D) },
      );
    });
    return rows;
  }

  /** The same for one prompt in several passes: each stores its keys and values, then attends the cache from its start. */
  private fillByPasses({ tokens, slots: fan }: PrefillPrompt): number {
    const { recorder, decoder, prefillSpace } = this;
    const longest = Math.floor(this.prefillEntries.length / 3 / fan.length);
    const step = Math.min(prefillSpace.capacity, longest);
    for (let start = 0; start < tokens.length; start += step) {
      // What was recorded before still reads the buffers that are written next.
      recorder.submit();
      const rows = Math.min(step, tokens.length - start);
      const positions = Uint32Array.from({ length: rows }, (_, t) => start + t);
      prefillSpace.ids.write(tokens.subarray(start, start + rows));
      prefillSpace.positions.write(positions);
      const stored = [...positions].flatMap((position, t) => fan.flatMap((slot) => [t, slot, position]));
      this.prefillEntries.write(Uint32Array.from(stored));
      this.queryEntries.write(
        Uint32Array.from([...positions].flatMap((position, t) => [t, fan[0], position])),
      );
      this.lastRows.write(Uint32Array.of(rows - 1));
      encodeLayers(recorder, decoder, this.model, prefillSpace, rows, (layer, qkv, out) => {
        this.store(layer, qkv, this.prefillEntries, stored.length / 3, rows);
        this.attendCache(layer, qkv, this.queryEntries, rows, out);
      });
    }
    return tokens.length;
  }

  private draw(rows: number, logit_rows: number, step: number, sampling: SamplingOptions): void {
    const { recorder, logits, draws, sampled, entries, progress, ring, decodeSpace } = this;
    const { temperature, topK: top_k, topP: top_p, minP: min_p, seed } = sampling;
    const vocab = this.decoder.config.vocabSize;
    const inverse_temperature = temperature === 0 ? 0 : 1 / temperature;
    this.kernels.sampler.encode(
      recorder,
      { logits, draws, sampled },
      { rows, logit_rows, vocab, seed_low: seed, seed_high: 0, top_k, top_p, min_p, inverse_temperature },
    );
    decodeAdvance.encode(
      recorder,
      { sampled, token: decodeSpace.ids, position: decodeSpace.positions, entries, draws, progress, ring },
      { rows, step, capacity: this.options.maxSequence, ...endTokens(this.options.eosIds) },
    );
  }

  [Symbol.dispose](): void {
    this.recorder.dispose();
    this.adapters?.[Symbol.dispose]();
    if (this.ownsWeights) this.weights[Symbol.dispose]();
    for (const held of [...this.held, this.decodeSpace, this.prefillSpace, this.decoder.rotations])
      held[Symbol.dispose]();
  }
}
