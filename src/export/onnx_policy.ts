/** An exported decoder in onnxruntime-web, as other programs run it. */
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { WebgrpoError } from "../errors.ts";
import type { ModelConfig } from "../model/config.ts";
import { loadOnnxRuntime, type OnnxRuntime, sessionOptions } from "./onnx_runtime.ts";

export interface OnnxInput {
  /** Rows of equal length. */
  ids: readonly (readonly number[])[];
  /** Keys and values of earlier tokens, as `OnnxStep` gave them. */
  past?: OnnxCache;
  /** Of each row, how many of the first tokens, earlier ones included, are padding. */
  padding?: readonly number[];
}

/** (B, K, P, D) tensors by the name of the input that takes them. */
export type OnnxCache = ReadonlyMap<string, Tensor>;

export interface OnnxStep {
  /** (B, T, V) */
  logits: Float32Array;
  cache: OnnxCache;
}

/** A file of weights beside the model, by the name the model has for it. */
export interface ExternalFile {
  path: string;
  data: Uint8Array;
}

export class OnnxPolicy {
  private readonly runtime: OnnxRuntime;
  private readonly session: InferenceSession;
  readonly config: ModelConfig;

  /** @throws WebgrpoError `export/no-runtime`, `export/not-loaded` */
  static async open(
    model: Uint8Array,
    config: ModelConfig,
    externalData: ExternalFile[] = [],
  ): Promise<OnnxPolicy> {
    const runtime = await loadOnnxRuntime();
    try {
      const session = await runtime.InferenceSession.create(model, { ...sessionOptions, externalData });
      return new OnnxPolicy(runtime, session, config);
    } catch (cause) {
      throw new WebgrpoError(
        "export/not-loaded",
        `Cannot load the exported model in onnxruntime-web: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  private constructor(runtime: OnnxRuntime, session: InferenceSession, config: ModelConfig) {
    this.runtime = runtime;
    this.session = session;
    this.config = config;
  }

  /** Names of what goes in and comes out. */
  get names(): { inputs: readonly string[]; outputs: readonly string[] } {
    return { inputs: this.session.inputNames, outputs: this.session.outputNames };
  }

  async step({ ids, past = this.emptyCache(ids.length), padding }: OnnxInput): Promise<OnnxStep> {
    const before = past.get("past_key_values.0.key")?.dims[2] ?? 0;
    const length = ids[0].length;
    const rows = ids.map((_, row) => padding?.[row] ?? 0);
    const total = before + length;
    const feeds: Record<string, Tensor> = {
      ...Object.fromEntries(past),
      input_ids: this.integers(ids),
      attention_mask: this.integers(
        rows.map((padded) => Array.from({ length: total }, (_, t) => (t < padded ? 0 : 1))),
      ),
      // Positions count from the first token that is no padding.
      position_ids: this.integers(
        rows.map((padded) => Array.from({ length }, (_, t) => Math.max(0, before + t - padded))),
      ),
    };
    const results = await this.session.run(feeds);
    const cache = new Map(
      [...past.keys()].map((name) => [name, results[name.replace("past_key_values", "present")]]),
    );
    return { logits: results.logits.data as Float32Array, cache };
  }

  /** The `count` most probable tokens after `prompt`, one after another; tokens that end a completion do not end this. */
  async greedy(prompt: readonly number[], count: number): Promise<number[]> {
    const tokens: number[] = [];
    let next: OnnxInput = { ids: [prompt] };
    while (tokens.length < count) {
      const { logits, cache } = await this.step(next);
      const token = argmax(logits.subarray(logits.length - this.config.vocabSize));
      tokens.push(token);
      next = { ids: [[token]], past: cache };
    }
    return tokens;
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private integers(rows: readonly (readonly number[])[]): Tensor {
    const { Tensor } = this.runtime;
    return new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
  }

  private emptyCache(batch: number): OnnxCache {
    const { layers, kvHeads, headDim } = this.config;
    const empty = () => new this.runtime.Tensor("float32", new Float32Array(0), [batch, kvHeads, 0, headDim]);
    const names = Array.from({ length: layers }, (_, layer) => `past_key_values.${layer}`);
    return new Map(names.flatMap((name) => [`${name}.key`, `${name}.value`]).map((name) => [name, empty()]));
  }
}

/** The first of the largest, as our sampler takes it at temperature 0. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
