/**
 * Text to token ids and back, from the files of a Hugging Face model folder. The library that does the work is
 * loaded on first use. Nothing is guessed: text without tokens is refused, and so is a tokenizer.json that would be
 * encoded differently elsewhere. Runs in every worker and in the browser; knows no stage.
 */
import type { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { DataError } from "../errors.ts";
import { digitTokenizerFiles } from "./char_tokenizer.ts";
import { checkTokenizerJson, isObject, type JsonObject } from "./tokenizer_support.ts";

/** The parsed JSON files of a model folder that concern its text; plain data, so workers can be sent it. */
export interface TokenizerFiles {
  tokenizerJson?: unknown;
  tokenizerConfig?: unknown;
  generationConfig?: unknown;
  /** The model's config.json: used for end-of-sequence and padding ids that generation_config.json does not name. */
  modelConfig?: unknown;
  /** The text of chat_template.jinja, where the folder has one. */
  chatTemplate?: string;
}

/** Whether a text has tokens; `position` counts UTF-16 units and is null where it cannot be told. */
export type Encodable = { ok: true } | { ok: false; reason: string; position: number | null };

export interface StreamDecoder {
  /** Takes the next tokens; returns the text that has become certain (possibly empty). */
  push(ids: Iterable<number>): string;
  /** Returns what was held back because it ended inside a character. */
  flush(): string;
}

export interface Tokenizer {
  /** One more than the largest id. A checkpoint's embedding may have more rows than that. */
  readonly vocabSize: number;
  /**
   * Ids that end a completion, never empty: those of generation_config.json, then the tokenizer's own. The first is the one
   * to append to training text.
   */
  readonly eosIds: readonly number[];
  readonly padId: number;
  /** The files it was made from and nothing else: what a checkpoint must hold, or a worker be sent, to load it again. */
  readonly files: TokenizerFiles;
  /**
   * Encodes text; what tokenizer.json's post-processor adds, such as a beginning-of-sequence token, is added only on request.
   * @throws DataError where some of the text has no token.
   */
  encode(text: string, options?: { addSpecialTokens?: boolean }): Uint32Array;
  /** Decodes ids; ids without a token give no text. */
  decode(ids: Iterable<number>, options?: { skipSpecial?: boolean }): string;
  tokenOf(id: number): string | undefined;
  idOf(token: string): number | undefined;
  streamDecoder(options?: { skipSpecial?: boolean }): StreamDecoder;
  canEncode(text: string): Encodable;
}

/** Stands for "no token" inside a library model that would otherwise drop the character without a word. */
const NO_TOKEN = "\u{F8FF}no-token\u{F8FF}";
const REPLACEMENT = "\uFFFD";

/** Gives the text of a token entry of tokenizer_config.json, which is a string or an object with `content`. */
export function tokenContent(entry: unknown): string | undefined {
  if (typeof entry === "string") return entry;
  return isObject(entry) && typeof entry.content === "string" ? entry.content : undefined;
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function idList(value: unknown): number[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((id): id is number => Number.isInteger(id) && (id as number) >= 0);
}

/** Visible form of a character for an error message. */
function showCharacter(character: string): string {
  const hex = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return `"${character}" (U+${hex})`;
}

class FileTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly eosIds: readonly number[];
  readonly padId: number;
  readonly files: TokenizerFiles;
  readonly #inner: LibraryTokenizer;
  readonly #unknownId: number | undefined;
  readonly #unknownToken: string;
  readonly #cleanUp: boolean;

  constructor(inner: LibraryTokenizer, files: TokenizerFiles) {
    this.#inner = inner;
    this.files = files;
    const config = asObject(files.tokenizerConfig);
    const generation = asObject(files.generationConfig);
    const model = asObject(files.modelConfig);
    this.#cleanUp = config.clean_up_tokenization_spaces === true;
    const library = inner.model!;
    this.#unknownId = library.unk_token_id;
    library.unk_token ??= NO_TOKEN;
    this.#unknownToken = library.unk_token;
    this.vocabSize = library.vocab.length;
    const named = (entry: unknown): number[] => {
      const content = tokenContent(entry);
      return content === undefined ? [] : idList(inner.token_to_id(content));
    };
    const listed = idList(generation.eos_token_id);
    // Without generation_config.json the model's own config stands for it, as it does in transformers.
    const standing = listed.length > 0 ? [] : idList(model.eos_token_id);
    this.eosIds = [...new Set([...listed, ...named(config.eos_token), ...standing])];
    if (this.eosIds.length === 0) {
      throw new DataError("text/no-eos", "Cannot use the tokenizer: no end-of-sequence token is named", {
        hint: "Name eos_token in tokenizer_config.json or eos_token_id in generation_config.json.",
      });
    }
    const pads = [named(config.pad_token), idList(generation.pad_token_id), idList(model.pad_token_id)];
    this.padId = pads.find((ids) => ids.length > 0)?.[0] ?? this.eosIds[0];
  }

  encode(text: string, options: { addSpecialTokens?: boolean } = {}): Uint32Array {
    const verdict = this.canEncode(text);
    if (!verdict.ok) {
      throw new DataError("text/no-token", `Cannot encode the text: ${verdict.reason}`, {
        hint: "Use text made of the model's own vocabulary, or a model with a byte-level tokenizer.",
      });
    }
    if (text === "" && !options.addSpecialTokens) return new Uint32Array(0);
    const { ids } = this.#inner.encode(text, { add_special_tokens: options.addSpecialTokens ?? false });
    return Uint32Array.from(ids);
  }

  decode(ids: Iterable<number>, options: { skipSpecial?: boolean } = {}): string {
    const known = Array.from(ids, Number).filter((id) => this.tokenOf(id) !== undefined);
    if (known.length === 0) return "";
    return this.#inner.decode(known, {
      skip_special_tokens: options.skipSpecial ?? false,
      clean_up_tokenization_spaces: this.#cleanUp,
    });
  }

  tokenOf(id: number): string | undefined {
    return this.#inner.id_to_token(id);
  }

  idOf(token: string): number | undefined {
    return this.#inner.token_to_id(token);
  }

  streamDecoder(options: { skipSpecial?: boolean } = {}): StreamDecoder {
    // Text of one token can depend on its neighbours (bytes of one character, leading spaces), so each piece is the
    // difference between decoding with and without the new tokens, over a short window.
    let window: number[] = [];
    let settled = 0;
    const take = (certain: boolean): string => {
      const before = this.decode(window.slice(0, settled), options);
      const now = this.decode(window, options);
      if (!certain && now.endsWith(REPLACEMENT)) return "";
      window = window.slice(settled);
      settled = window.length;
      return now.slice(before.length);
    };
    return {
      push: (ids) => {
        window.push(...ids);
        return window.length === settled ? "" : take(false);
      },
      flush: () => (window.length === settled ? "" : take(true)),
    };
  }

  canEncode(text: string): Encodable {
    if (text === "") return { ok: true };
    if (!text.isWellFormed()) {
      const position = text.search(/\p{Surrogate}/u);
      return { ok: false, reason: `half a character (lone surrogate) at position ${position}`, position };
    }
    const { tokens, ids } = this.#inner.encode(text, { add_special_tokens: false });
    const isUnknown = (i: number) =>
      (ids[i] as number | undefined) === undefined ||
      tokens[i] === this.#unknownToken ||
      ids[i] === this.#unknownId;
    let position: number | null = 0;
    for (let i = 0; i < ids.length; i++) {
      if (isUnknown(i)) return this.#refusal(text, position);
      if (position === null) continue;
      position = text.startsWith(tokens[i], position) ? position + tokens[i].length : null;
    }
    return { ok: true };
  }

  /** Names the character without a token; `walked` is its position where the tokens spell the text. */
  #refusal(text: string, walked: number | null): Encodable {
    if (walked !== null && walked < text.length) {
      const character = String.fromCodePoint(text.codePointAt(walked)!);
      const reason = `no token for the character ${showCharacter(character)} at position ${walked}`;
      return { ok: false, reason, position: walked };
    }
    for (const character of new Set(text)) {
      const { ids } = this.#inner.encode(character, { add_special_tokens: false });
      if (ids.some((id) => (id as number | undefined) === undefined || id === this.#unknownId)) {
        const position = text.indexOf(character);
        const reason = `no token for the character ${showCharacter(character)} at position ${position}`;
        return { ok: false, reason, position };
      }
    }
    return { ok: false, reason: "a part of it has no token", position: null };
  }
}

/** Chooses the folder's tokenizer.json, or the one that a character tokenizer's configuration stands for. */
function resolveFiles(given: TokenizerFiles): TokenizerFiles {
  const { tokenizerJson, tokenizerConfig, generationConfig, modelConfig, chatTemplate } = given;
  const files = { tokenizerJson, tokenizerConfig, generationConfig, modelConfig, chatTemplate };
  if (files.tokenizerJson !== undefined && files.tokenizerJson !== null) return files;
  const ordinals = asObject(files.tokenizerConfig).char_ords;
  if (Array.isArray(ordinals) && ordinals.length > 0 && ordinals.every((o) => Number.isInteger(o) && o > 0)) {
    const made = digitTokenizerFiles(ordinals.map((o) => String.fromCodePoint(o)));
    return {
      ...files,
      ...made,
      tokenizerConfig: { ...asObject(files.tokenizerConfig), ...made.tokenizerConfig },
    };
  }
  throw new DataError("text/no-tokenizer", "Cannot load the tokenizer: the folder holds no tokenizer.json", {
    hint: "Add the model's tokenizer.json (in Python: AutoTokenizer.from_pretrained(…).save_pretrained(…)).",
  });
}

/**
 * Loads the tokenizer of a model folder from its parsed files.
 * @throws DataError where tokenizer.json is missing, malformed, or uses parts that would be mis-tokenised.
 */
export async function loadTokenizer(files: TokenizerFiles): Promise<Tokenizer> {
  const resolved = resolveFiles(files);
  const json = checkTokenizerJson(resolved.tokenizerJson);
  const { Tokenizer: Library } = await import("@huggingface/tokenizers");
  const { unk_token: unknown } = json.model;
  const config = { ...asObject(resolved.tokenizerConfig), ...(unknown ? { unk_token: unknown } : {}) };
  let inner: LibraryTokenizer;
  try {
    inner = new Library(json, config);
  } catch (cause) {
    throw new DataError(
      "text/unsupported-tokenizer",
      "Cannot load the tokenizer: its tokenizer.json is malformed",
      {
        hint: "Check that the file is complete and that it belongs to this model.",
        cause,
      },
    );
  }
  return new FileTokenizer(inner, resolved);
}

/** Loads the tokenizer of the published digit-completion model: S, E, P, U, ten digits, comma and colon. */
export function digitTokenizer(): Promise<Tokenizer> {
  return loadTokenizer(digitTokenizerFiles());
}
