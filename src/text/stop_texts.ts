/**
 * Finds the token with which a completion's text first contains one of the stop texts. Generators ask after every chunk
 * of tokens, so the text is not decoded anew each time: a window at its end is enough. Knows no stage.
 */
import { ConfigError } from "../errors.ts";
import type { Tokenizer, TokenizerFiles } from "./tokenizer.ts";
import { isObject } from "./tokenizer_support.ts";

/** What another thread needs to watch for stop texts; plain values. */
export interface StopOptions {
  texts: string[];
  /** Of the tokenizer that decodes the completions. */
  tokenizer: TokenizerFiles;
}

/** Follows one completion. */
export interface StopWatch {
  /**
   * Takes the next tokens. Returns how many of them belong to the completion where a stop text ends it, the token with
   * which the text is complete being the last; null while it goes on. Not asked again after that.
   */
  push(ids: readonly number[]): number | null;
}

const REPLACEMENT = "\uFFFD";
/** What decoding may change of the text before a token: half characters, and spaces that a clean-up takes away. */
const UNSETTLED = 8;
/** Tokens after which a window is cut although its last character stays half. */
const LONGEST_WINDOW = 1024;

export class StopTexts {
  readonly texts: readonly string[];
  readonly tokenizer: Tokenizer;
  /** UTF-16 units that a window keeps, at least. */
  readonly kept: number;
  /** Whether a later token can undo a stop text: then tokens are taken one by one. */
  readonly rewritten: boolean;

  /** @throws ConfigError for an empty stop text, which every completion contains */
  constructor(tokenizer: Tokenizer, texts: readonly string[]) {
    if (texts.includes("")) {
      throw new ConfigError("generator/empty-stop", "Cannot stop completions at an empty text", {
        hint: "Leave the empty text out of the stop texts.",
      });
    }
    this.tokenizer = tokenizer;
    this.texts = [...texts];
    this.kept = Math.max(0, ...texts.map(({ length }) => length)) + UNSETTLED;
    this.rewritten = rewritesText(tokenizer.files) || texts.some((text) => text.includes(REPLACEMENT));
  }

  watch(): StopWatch {
    return new TextWatch(this);
  }

  /** Whether a text contains one of the stop texts. */
  foundIn(text: string): boolean {
    return this.texts.some((stop) => text.includes(stop));
  }
}

class TextWatch implements StopWatch {
  private readonly stops: StopTexts;
  /** The last tokens; their text is a suffix of the completion's, leading spaces aside. */
  private window: number[] = [];

  constructor(stops: StopTexts) {
    this.stops = stops;
  }

  push(ids: readonly number[]): number | null {
    const { tokenizer, rewritten } = this.stops;
    if (ids.length > 1 && !rewritten) {
      // Nearly always there is nothing to find: one look at all of them tells.
      const text = tokenizer.decode([...this.window, ...ids]);
      if (!this.stops.foundIn(text)) {
        this.window.push(...ids);
        this.cut(text);
        return null;
      }
    }
    for (let i = 0; i < ids.length; i++) {
      this.window.push(ids[i]);
      const text = tokenizer.decode(this.window);
      if (this.stops.foundIn(text)) return i + 1;
      this.cut(text);
    }
    return null;
  }

  /** Halves the window where what is left has enough text, and the cut does not go through a character. */
  private cut(text: string): void {
    const { window, stops } = this;
    if (text.length < 2 * stops.kept && window.length < LONGEST_WINDOW) return;
    if (text.endsWith(REPLACEMENT) && window.length < LONGEST_WINDOW) return;
    const middle = window.length >> 1;
    for (let first = middle; first >= Math.max(1, middle - 3); first--) {
      const rest = window.slice(first);
      const left = stops.tokenizer.decode(rest);
      if (left.length < stops.kept || !text.endsWith(left)) continue;
      this.window = rest;
      return;
    }
  }
}

/** Whether decoding changes text by what follows it. */
function rewritesText({ tokenizerConfig, tokenizerJson }: TokenizerFiles): boolean {
  const decoder = isObject(tokenizerJson) && isObject(tokenizerJson.decoder) ? tokenizerJson.decoder : {};
  const cleaned = isObject(tokenizerConfig) && tokenizerConfig.clean_up_tokenization_spaces === true;
  return cleaned || decoder.type === "WordPiece";
}
