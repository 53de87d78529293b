/**
 * Continuous batched decoding on one device. Rows decode side by side, each with a slot of the key/value cache; every
 * chunk of decode steps runs without read-back, then finished rows are handed out and their slots given to waiting
 * groups, whose completions share one prefill. New weights come in between two chunks; sequences and cache stay.
 */

import type { Gpu } from "../gpu/device.ts";
import type { ParameterLayout } from "../model/layout.ts";
import type { Rollout } from "../rollout.ts";
import type { GeneratorOptions, GeneratorReport, PromptGroup, SamplingOptions } from "./api.ts";
import { RangeCheck } from "./checks.ts";
import { DecodePass, type DecodeRow, type PrefillPrompt } from "./decode_pass.ts";
import { emptyReport } from "./report.ts";

/** A sequence being decoded. */
interface Sequence extends DecodeRow {
  group: PromptGroup;
  completion: number[];
  logprobs: number[];
  versions: number[];
}

export class GeneratorEngine implements Disposable {
  readonly gpu: Gpu;
  /** The version of the weights in use; -1 before the first. */
  version = -1;
  report: GeneratorReport = emptyReport();
  private readonly options: GeneratorOptions;
  private readonly pass: DecodePass;
  private readonly waiting: PromptGroup[] = [];
  private readonly freeSlots: number[];
  private running: Sequence[] = [];
  private stale = false;

  /** Compiles and allocates. @throws GpuLimitError, ShaderError */
  static async create(gpu: Gpu, options: GeneratorOptions): Promise<GeneratorEngine> {
    return new GeneratorEngine(gpu, options, await DecodePass.create(gpu, options));
  }

  private constructor(gpu: Gpu, options: GeneratorOptions, pass: DecodePass) {
    this.gpu = gpu;
    this.options = options;
    this.pass = pass;
    this.freeSlots = Array.from({ length: options.concurrency }, (_, i) => options.concurrency - 1 - i);
  }

  get layout(): ParameterLayout {
    return this.pass.decoder.layout;
  }

  /** Whether anything is decoding or waits to. */
  get busy(): boolean {
    return this.running.length > 0 || this.waiting.length > 0;
  }

  /** Queues groups. @throws RangeError for a prompt that does not fit the cache */
  admit(groups: readonly PromptGroup[]): void {
    for (const group of groups) {
      RangeCheck.prompt(group, this.options.maxSequence);
      this.waiting.push(group);
    }
  }

  /** Takes new weights; running sequences go on with them. */
  setWeights(shards: readonly Float32Array[], version: number): void {
    this.pass.weights.write(shards);
    if (this.version >= 0) this.report.weightSwaps++;
    this.version = version;
    this.stale = this.options.recomputeCache && this.running.length > 0;
  }

  /** Refills free rows, decodes one chunk, returns what finished. @throws WebgrpoError `generator/not-finite` */
  async advance(): Promise<Rollout[]> {
    const from = performance.now();
    const { pass, report } = this;
    const old = this.running.length;
    const prompts = this.refill();
    const sampling = this.running[0].group.sampling;
    pass.load(this.running);
    if (this.stale) {
      report.prefilledTokens += pass.recompute(this.running.slice(0, old));
      this.stale = false;
    }
    report.prefilledTokens += pass.prefill(prompts, old, sampling);
    report.prefills += prompts.length;
    const steps = Math.min(this.options.decodeChunk, sampling.maxTokens - 1);
    for (let step = 1; step <= steps; step++) pass.step(step, this.running.length, sampling);
    const drawn = await pass.read(steps);
    const finished = this.collect(drawn, old, steps, sampling);
    report.decodeSteps += steps;
    report.busyMs += performance.now() - from;
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
      const size = group.rolloutIds.length;
      if (this.freeSlots.length < Math.min(size, concurrency)) break;
      // One chunk has one way of sampling; another waits until the running sequences are done.
      if (this.running.length > 0 && !sameSampling(this.running[0].group.sampling, group.sampling)) break;
      this.waiting.shift();
      const taken = Math.min(size, concurrency);
      if (taken < size) this.waiting.unshift({ ...group, rolloutIds: group.rolloutIds.subarray(taken) });
      const slots: number[] = [];
      for (let i = 0; i < taken; i++) {
        const slot = this.freeSlots.pop()!;
        slots.push(slot);
        this.running.push({
          group,
          rolloutId: group.rolloutIds[i],
          slot,
          token: 0,
          position: 0,
          produced: 0,
          prompt: group.promptTokens,
          completion: [],
          logprobs: [],
          versions: [],
        });
      }
      prompts.push({ tokens: group.promptTokens, slots });
    }
    return prompts;
  }

  /** Appends the chunk's tokens; takes finished sequences out. */
  private collect(
    { tokens, logprobs }: { tokens: Uint32Array; logprobs: Float32Array },
    old: number,
    steps: number,
    sampling: SamplingOptions,
  ): Rollout[] {
    const batch = this.options.concurrency;
    const finished: Rollout[] = [];
    const going: Sequence[] = [];
    this.running.forEach((sequence, row) => {
      let over = false;
      for (let step = row < old ? 1 : 0; step <= steps && !over; step++) {
        const token = tokens[step * batch + row];
        const logprob = logprobs[step * batch + row];
        RangeCheck.logprob(logprob, sequence.rolloutId, this.version);
        sequence.completion.push(token);
        sequence.logprobs.push(logprob);
        sequence.versions.push(this.version);
        this.report.generatedTokens++;
        if (step > 0) this.report.activeRows++;
        over = this.options.eosIds.includes(token) || sequence.completion.length >= sampling.maxTokens;
      }
      if (over) {
        this.freeSlots.push(sequence.slot);
        finished.push(this.finish(sequence));
      } else {
        sequence.token = sequence.completion[sequence.completion.length - 1];
        sequence.position = sequence.prompt.length + sequence.completion.length - 1;
        sequence.produced = sequence.completion.length;
        going.push(sequence);
      }
    });
    this.running = going;
    return finished;
  }

  private finish({ group, rolloutId, completion, logprobs, versions }: Sequence): Rollout {
    return {
      id: rolloutId,
      groupId: group.groupId,
      problemId: group.problemId,
      taskId: group.taskId,
      promptTokens: group.promptTokens.slice(),
      completionTokens: Uint32Array.from(completion),
      generatorLogprobs: Float32Array.from(logprobs),
      policyVersions: Int32Array.from(versions),
      finishReason: this.options.eosIds.includes(completion[completion.length - 1]) ? "stop" : "length",
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
