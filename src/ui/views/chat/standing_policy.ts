/** A policy that stands on the device and is asked one thing at a time: text in, tokens out. */
import { completionLimit, LoadedModel } from "../../../answering.ts";
import type { ModelText } from "../../../data/source.ts";
import { DataError } from "../../../errors.ts";
import type { Gpu } from "../../../gpu/device.ts";
import { type ChatTemplate, loadChatTemplate, renderPrompt } from "../../../text/chat_template.ts";
import { loadTokenizer, type Tokenizer } from "../../../text/tokenizer.ts";
import type {
  ChatAnswer,
  ChatPrompt,
  ChatRequest,
  ChatToken,
  NextToken,
  NextTokens,
  PolicyNote,
} from "./api.ts";
import { topIds } from "./distribution.ts";

/** Longest prompt and completion together: the cache is made for it, and a chat needs no more. */
const MAX_SEQUENCE = 1024;

export class StandingPolicy {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate | null;
  readonly maxTokens: number;
  readonly generationConfig: Record<string, unknown> | undefined;
  version: number;
  step: number;
  private readonly gpu: Gpu;
  private loaded: LoadedModel;
  /** False where other weights were to be taken and could not be: there are none then. */
  whole = true;
  /** Ends when the call before has. */
  private turn: Promise<unknown> = Promise.resolve();

  /**
   * The weights are read where the model's files lie, tensor by tensor. A policy over `base` is that one with the last of
   * the model's adapters beside it: these alone are uploaded, and the base closes later.
   * @throws DataError, GpuLimitError, ShaderError
   */
  static async open(
    gpu: Gpu,
    model: ModelText,
    { version, step }: PolicyNote,
    base: StandingPolicy | null = null,
  ): Promise<StandingPolicy> {
    const tokenizer = await loadTokenizer({ ...model, modelConfig: model.config.raw });
    const template = await loadChatTemplate(model);
    const maxSequence = Math.min(model.config.maxPositions, MAX_SEQUENCE);
    const maxTokens = Math.min(completionLimit(model), Math.floor(maxSequence / 2));
    const { generationConfig } = model;
    const loaded = await StandingPolicy.load(gpu, model, tokenizer, maxSequence, base);
    return new StandingPolicy({
      gpu,
      tokenizer,
      template,
      maxTokens,
      generationConfig,
      loaded,
      version,
      step,
    });
  }

  private constructor(parts: {
    gpu: Gpu;
    tokenizer: Tokenizer;
    template: ChatTemplate | null;
    maxTokens: number;
    generationConfig: Record<string, unknown> | undefined;
    loaded: LoadedModel;
    version: number;
    step: number;
  }) {
    this.gpu = parts.gpu;
    this.tokenizer = parts.tokenizer;
    this.template = parts.template;
    this.maxTokens = parts.maxTokens;
    this.generationConfig = parts.generationConfig;
    this.loaded = parts.loaded;
    this.version = parts.version;
    this.step = parts.step;
  }

  private static load(
    gpu: Gpu,
    files: ModelText,
    { eosIds }: Tokenizer,
    maxSequence: number,
    base: StandingPolicy | null,
  ): Promise<LoadedModel> {
    const adapter = files.adapters?.at(-1);
    if (base && adapter) return base.loaded.beside(adapter, eosIds);
    return LoadedModel.open(gpu, { files, eosIds }, { concurrency: 1, maxSequence });
  }

  /** Other weights of the same model, between two answers; over the same base only the adapters. @throws as `open` */
  async take(model: ModelText, { version, step }: PolicyNote, base: StandingPolicy | null): Promise<void> {
    await this.alone(async () => {
      const adapter = base && model.adapters?.at(-1);
      if (adapter && this.loaded.takes(adapter)) await this.loaded.setAdapters(adapter);
      else {
        // First, so that the device never holds both.
        this.whole = false;
        this.loaded[Symbol.dispose]();
        this.loaded = await StandingPolicy.load(
          this.gpu,
          model,
          this.tokenizer,
          this.loaded.maxSequence,
          base,
        );
        this.whole = true;
      }
      this.version = version;
      this.step = step;
    });
  }

  /** @throws DataError for what has no token, is empty or too long */
  encode(prompt: ChatPrompt): Uint32Array {
    const tokens = this.tokenizer.encode(renderPrompt(prompt, this.template));
    if (tokens.length === 0) {
      throw new DataError("text/empty-prompt", "Cannot ask: the prompt is empty", {
        hint: "Type something first",
      });
    }
    const room = this.loaded.maxSequence - this.maxTokens;
    if (tokens.length <= room) return tokens;
    throw new DataError(
      "generator/no-room",
      `Cannot ask: the prompt has ${tokens.length} tokens, ${room} fit beside an answer of ${this.maxTokens}`,
      { hint: "Shorten the prompt" },
    );
  }

  describe(id: number): NextToken {
    const { tokenizer } = this;
    return { id, text: tokenizer.decode([id]), end: tokenizer.eosIds.includes(id) };
  }

  /** Completes a prompt; once `signal` is aborted, what has come so far is the answer. */
  chat(
    { prompt, temperature, seed }: ChatRequest,
    signal: AbortSignal,
    onTokens: (tokens: ChatToken[]) => void,
  ): Promise<ChatAnswer> {
    const ids = this.encode(prompt);
    return this.alone(async () => {
      const { version, maxTokens } = this;
      const tokens: ChatToken[] = [];
      try {
        const [{ finishReason }] = await this.loaded.stream({
          prompt: ids,
          samples: 1,
          sampling: { temperature, topK: 0, topP: 1, minP: 0, maxTokens, seed },
          signal,
          onTokens: (_sample, drawn, _finish, logprobs) => {
            const fresh = drawn.map((id, k) => ({ ...this.describe(id), logprob: logprobs[k] }));
            tokens.push(...fresh);
            if (fresh.length > 0) onTokens(fresh);
          },
        });
        return { tokens, finishReason, version };
      } catch (error) {
        if (!signal.aborted) throw error;
        return { tokens, finishReason: "stopped", version };
      }
    });
  }

  next(prompt: ChatPrompt, begun: readonly number[], count: number): Promise<NextTokens> {
    const ids = Uint32Array.from([...this.encode(prompt), ...begun]);
    return this.alone(async () => {
      const logits = await this.loaded.nextLogits(ids);
      return { logits, top: topIds(logits, count).map((id) => this.describe(id)), version: this.version };
    });
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  /** Frees the device's memory once the last answer is done. */
  close(): Promise<void> {
    return this.alone(async () => {
      if (this.whole) this.loaded[Symbol.dispose]();
    });
  }
}
