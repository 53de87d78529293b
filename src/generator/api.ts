/** What other stages know of the generator: its options, the groups it is given and what it reports. */
import type { WeightsHandle } from "../data/weights_handle.ts";
import type { TraceSpan } from "../metrics/trace.ts";
import type { AdapterSettings } from "../model/adapters/config.ts";
import type { ModelConfig } from "../model/config.ts";
import type { MatrixPrecision } from "../model/parameters.ts";
import type { Rollout } from "../rollout.ts";
import type { ErrorRecord } from "../rpc/errors.ts";
import type { StopOptions } from "../text/stop_texts.ts";
import type { PayloadFormat, WeightHandle } from "../weights/api.ts";

/** How the next token is drawn; filters act on the distribution after temperature and intersect. */
export interface SamplingOptions {
  /** 0 takes the most probable token. */
  temperature: number;
  /** 0 is off. */
  topK: number;
  /** 1 is off. */
  topP: number;
  /** 0 is off. */
  minP: number;
  maxTokens: number;
  /** Keys the random numbers together with rollout id and position. */
  seed: number;
}

/** The completions wanted for one prompt. */
export interface PromptGroup {
  groupId: number;
  problemId: string;
  taskId: string;
  promptTokens: Uint32Array;
  /** One rollout each; the id keys its random numbers. */
  rolloutIds: Uint32Array;
  sampling: SamplingOptions;
}

/** Counted since the last report. */
export interface GeneratorReport {
  generatedTokens: number;
  prefilledTokens: number;
  decodeSteps: number;
  /** Σ over decode steps of the rows that were decoding. */
  activeRows: number;
  prefills: number;
  weightSwaps: number;
  /** Milliseconds spent in prefill and decode. */
  busyMs: number;
  /** Milliseconds without a sequence to decode. */
  idleMs: number;
  /** Milliseconds spent taking new weights. */
  swapMs: number;
  policyVersion: number;
}

/** What the decoding engine needs, wherever its weights come from. */
export interface EngineOptions {
  config: ModelConfig;
  /** Sequences decoded side by side. */
  concurrency: number;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  /** Decode steps between two read-backs. */
  decodeChunk: number;
  /** Recompute the cache of running sequences at every weight swap. */
  recomputeCache: boolean;
  /** Ids that end a completion. */
  eosIds: number[];
  /** Of the matrices, and of the key/value cache; f32 by default. */
  precision?: MatrixPrecision;
  cachePrecision?: MatrixPrecision;
  /** Adapters beside the model, whose versions the board brings; null or absent where it brings every parameter. */
  adapters?: AdapterSettings | null;
}

export interface GeneratorOptions extends EngineOptions {
  /** The model that adapters lie beside. */
  model: WeightsHandle;
  weights: WeightHandle;
  format: PayloadFormat;
  /** Texts that end a completion where they first appear; null or absent where there are none. */
  stop?: StopOptions | null;
  /** False: take the driver's f16 untried. */
  selfTest?: boolean;
  /** Take weights whose fingerprint was checked only. */
  verifyWeights?: boolean;
  /** The device's share of `gpu.maxMemoryMiB`. */
  maxMemoryBytes?: number;
}

export interface GeneratorReady {
  adapter: string;
  allocatedBytes: number;
}

export interface GeneratorApi {
  /** Opens the device, waits for the first weights and decodes whatever `port` brings, until it closes. */
  start(options: GeneratorOptions, port: MessagePort): Promise<GeneratorReady>;
  /** Loses the GPU device on purpose; for tests of recovery. */
  loseDevice(): void;
  /** Does nothing for so long and answers nobody; for tests of recovery. */
  hang(ms: number): void;
}

export type ToGenerator = { kind: "groups"; groups: PromptGroup[] };
export type FromGenerator =
  /** `at` lies within the last decode span. */
  | { kind: "rollouts"; rollouts: Rollout[]; at: number }
  /** `gpuSpans`: when its GPU's queue had work; see `QueueLog`. */
  | { kind: "report"; report: GeneratorReport; spans: TraceSpan[]; gpuSpans: TraceSpan[] }
  | { kind: "failed"; error: ErrorRecord };
