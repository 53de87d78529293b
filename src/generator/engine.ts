/**
 * Continuous batched decoding on one device. Rows decode side by side, each with a slot of the key/value cache; every
 * chunk of decode steps runs without read-back, then finished rows are handed out and their slots given to waiting
 * groups, whose completions share one prefill. New weights come in between two chunks; sequences and cache stay.
 */

import { WebgrpoError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import { SpanLog, traceClock } from "../metrics/trace.ts";
import { loadParameters, type TensorStream } from "../model/load.ts";
import type { Parameters } from "../model/parameters.ts";
import type { Rollout } from "../rollout.ts";
import type { StopTexts, StopWatch } from "../text/stop_texts.ts";
import type { EngineOptions, GeneratorReport, PromptGroup, SamplingOptions } from "./api.ts";
import { DecodePass, type DecodeRow, type PrefillPrompt } from "./decode_pass.ts";
import { emptyReport } from "./report.ts";
import { BROKEN, RUNNING, readRow, STOP } from "./token_ring.ts";

/** A sequence being decoded. */
interface Sequence extends DecodeRow {
  group: PromptGroup;
  /** Looks for stop texts, where there are some. */
  watch: StopWatch | null;
  completion: number[];
  logprobs: number[];
  entropies: number[];
  versions: number[];
}

export class GeneratorEngine implements Disposable {
  readonly gpu: Gpu;
  /** The version of the weights in use; -1 before the first. */
  version = -1;
  report: GeneratorReport = emptyReport();
  /**
   * What it did when, as the host sees it: `prefill` is recording and submitting prompts, which the GPU goes through at
   * the beginning of the `decode` that follows, the wait for a chunk's tokens.
   */
  readonly spans = new SpanLog();
  /** A moment within the last chunk's span, at its end. */
  decodedAt = 0;
  private readonly options: EngineOptions;
  private readonly pass: DecodePass;
  private readonly stops: StopTexts | null;
  private readonly waiting: PromptGroup[] = [];
  private readonly freeSlots: number[];
  private running: Sequence[] = [];
  private stale = false;

  /** Compiles and allocates; completions end at `stops` as well as at end tokens. @throws GpuLimitError, ShaderError */
  static async create(
    gpu: Gpu,
    options: EngineOptions,
    stops: StopTexts | null = null,
  ): Promise<GeneratorEngine> {
    return new GeneratorEngine(gpu, options, await DecodePass.create(gpu, options), stops);
  }

  private constructor(gpu: Gpu, options: EngineOptions, pass: DecodePass, stops: StopTexts | null) {
    this.gpu = gpu;
    this.options = options;
    this.pass = pass;
    this.stops = stops;
    this.freeSlots = Array.from({ length: options.concurrency }, (_, i) => options.concurrency - 1 - i);
  }

  /** Whether anything is decoding or waits to. */
  get busy(): boolean {
    return this.running.length > 0 || this.waiting.length > 0;
  }

  /** Queues groups. @throws RangeError for a prompt that does not fit the cache */
  admit(groups: readonly PromptGroup[]): void {
    for (const group of groups) {
      const needed = group.promptTokens.length + group.sampling.maxTokens;
      if (group.promptTokens.length === 0 || needed > this.options.maxSequence) {
        throw new RangeError(
          `Cannot decode group ${group.groupId}: ${group.promptTokens.length} prompt and up to ${group.sampling.maxTokens} completion tokens, 1 to ${this.options.maxSequence} in all are needed`,
        );
      }
      this.waiting.push(group);
    }
  }

  /** What comes as new versions: the adapters where there are some, else every parameter. */
  get versioned(): Parameters {
    return this.pass.adapters?.parameters ?? this.pass.weights;
  }

  /** Fills in the model: its weights as version `version`, or what adapters, which come as versions, lie beside. */
  async load(model: TensorStream, version = -1): Promise<void> {
    await loadParameters(this.gpu, this.pass.weights, model);
    this.version = version;
  }

  /** Takes a new version, shard after shard; running sequences go on with it. */
  setWeights(shards: Iterable<Float32Array | Uint16Array>, version: number): void {
    this.versioned.write(shards);
    if (this.version >= 0) this.report.weightSwaps++;
    this.version = version;
    this.stale = this.options.recomputeCache && this.running.length > 0;
  }

  /** Refills free rows, decodes one chunk, returns what finished. @throws WebgrpoError `generator/not-finite` */
  async advance(): Promise<Rollout[]> {
    let from = traceClock();
    const began = from;
    const { pass, report } = this;
    const old = this.running.length;
    const prompts = this.refill();
    const sampling = this.running[0].group.sampling;
    pass.load(this.running, sampling.maxTokens);
    if (this.stale) {
      report.prefilledTokens += pass.recompute(this.running.slice(0, old));
      this.stale = false;
    }
    report.prefilledTokens += pass.prefill(prompts, this.running, old, sampling);
    report.prefills += prompts.length;
    if (prompts.length > 0) from = this.spans.add("prefill", from, { prompts: prompts.length });
    const rows = this.running.length;
    const steps = Math.min(this.options.decodeChunk, sampling.maxTokens - 1);
    for (let step = 1; step <= steps; step++) pass.step(step, rows, sampling);
    const finished = this.collect(await pass.read(steps, rows), old, steps);
    const end = this.spans.add("decode", from, { rows, steps, version: this.version });
    this.decodedAt = (from + 9 * end) / 10;
    report.decodeSteps += steps;
    report.busyMs += end - began;
    report.policyVersion = this.version;
    return finished;
  }

  takeReport(): GeneratorReport {
    const report = this.report;
    this.report = { ...emptyReport(), policyVersion: report.policyVersion };
    return report;
  }

  /** Gives free slots to waiting groups, whole groups at a time, so that each prompt is prefilled once. */
  private refill(): PrefillPrompt[] {
    const prompts: PrefillPrompt[] = [];
    const { concurrency } = this.options;
    for (let group = this.waiting[0]; group; group = this.waiting[0]) {
      const size = Math.min(group.rolloutIds.length, concurrency);
      if (this.freeSlots.length < size) break;
      // One chunk has one way of sampling; another waits until the running sequences are done.
      if (this.running.length > 0 && !sameSampling(this.running[0].group.sampling, group.sampling)) break;
      const prompt = { tokens: group.promptTokens, slots: this.freeSlots.slice(-size) };
      if (this.pass.fitting([...prompts, prompt]) < prompts.length + 1) break;
      this.freeSlots.length -= size;
      prompts.push(prompt);
      for (let i = 0; i < size; i++) {
        const position = group.promptTokens.length - 1;
        this.running.push({
          group,
          rolloutId: group.rolloutIds[i],
          slot: prompt.slots[i],
          token: 0,
          position,
          produced: 0,
          prompt: group.promptTokens,
          completion: [],
          logprobs: [],
          entropies: [],
          versions: [],
          watch: this.stops?.watch() ?? null,
        });
      }
      // A group larger than the generator comes in parts.
      if (size === group.rolloutIds.length) this.waiting.shift();
      else this.waiting[0] = { ...group, rolloutIds: group.rolloutIds.subarray(size) };
    }
    return prompts;
  }

  /** Appends the chunk's tokens; takes finished sequences out. */
  private collect(ring: Uint32Array, old: number, steps: number): Rollout[] {
    const rows = this.running.length;
    const finished: Rollout[] = [];
    const going: Sequence[] = [];
    this.running.forEach((sequence, row) => {
      // Ring step 0 is the prefill's, where there was one: it says nothing of rows that ran before.
      const first = row < old ? 1 : 0;
      const drawn = readRow(ring, { row, rows, first, steps });
      const cut = sequence.watch?.push(drawn.tokens) ?? null;
      // What follows a stop text was drawn ahead: it is no part of the completion, whatever came of it.
      const kept = cut ?? drawn.tokens.length;
      const reason = cut === null ? drawn.reason : STOP;
      if (reason === BROKEN) throw notFinite(sequence.rolloutId, this.version);
      sequence.completion.push(...drawn.tokens.slice(0, kept));
      sequence.logprobs.push(...drawn.logprobs.slice(0, kept));
      sequence.entropies.push(...drawn.entropies.slice(0, kept));
      for (let i = 0; i < kept; i++) sequence.versions.push(this.version);
      this.report.generatedTokens += kept;
      this.report.activeRows += first === 0 ? Math.max(0, kept - 1) : kept;
      if (reason !== RUNNING) {
        this.freeSlots.push(sequence.slot);
        finished.push(this.finish(sequence, reason));
        return;
      }
      const { prompt, completion } = sequence;
      sequence.token = completion[completion.length - 1];
      sequence.position = prompt.length + completion.length - 1;
      sequence.produced = completion.length;
      going.push(sequence);
    });
    this.running = going;
    return finished;
  }

  private finish(sequence: Sequence, reason: number): Rollout {
    const { group, rolloutId, completion, logprobs, entropies, versions } = sequence;
    return {
      id: rolloutId,
      groupId: group.groupId,
      problemId: group.problemId,
      taskId: group.taskId,
      promptTokens: group.promptTokens.slice(),
      completionTokens: Uint32Array.from(completion),
      generatorLogprobs: Float32Array.from(logprobs),
      generatorEntropies: Float32Array.from(entropies),
      policyVersions: Int32Array.from(versions),
      temperature: group.sampling.temperature,
      finishReason: reason === STOP ? "stop" : "length",
    };
  }

  [Symbol.dispose](): void {
    this.pass[Symbol.dispose]();
  }
}

function sameSampling(a: SamplingOptions, b: SamplingOptions): boolean {
  return (
    a.temperature === b.temperature &&
    a.topK === b.topK &&
    a.topP === b.topP &&
    a.minP === b.minP &&
    a.maxTokens === b.maxTokens &&
    a.seed === b.seed
  );
}

function notFinite(rolloutId: number, version: number): WebgrpoError {
  return new WebgrpoError(
    "generator/not-finite",
    `Cannot sample rollout ${rolloutId}: the logits of policy version ${version} are not finite`,
    {
      hint: "The weights have diverged: resume from an earlier checkpoint with a lower trainer.learningRate.",
    },
  );
}
