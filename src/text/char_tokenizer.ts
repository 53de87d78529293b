/**
 * Builds tokenizer files for small policies: single characters, and longer pieces of text that are one token each.
 * The result is Hugging Face's own format, a byte-pair model without merges, and reads alike in Python and here.
 */
import { DataError } from "../errors.ts";

/** What a small policy can say and read. Ids follow the order: special, pieces, characters. */
export interface CharVocabulary {
  /** Control tokens that `skipSpecial` leaves out; the texts of `pad` and `eos` must be among them. */
  special: readonly string[];
  pad: string;
  eos: string;
  /** Texts that are one token each, such as `<think>` or a whole fixed wording. */
  pieces: readonly string[];
  /** Single characters, each a token. */
  characters: string;
}

/** The files that make a character tokenizer; plain JSON data. */
export interface CharTokenizerFiles {
  tokenizerJson: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
  generationConfig: Record<string, unknown>;
}

/**
 * Makes tokenizer.json, tokenizer_config.json and generation_config.json for a vocabulary.
 * @throws DataError where a token occurs twice or a control token is missing.
 */
export function buildCharTokenizer(vocabulary: CharVocabulary): CharTokenizerFiles {
  const { special, pad, eos, pieces, characters } = vocabulary;
  const tokens = [...special, ...pieces, ...characters];
  const repeated = tokens.find((token, i) => token === "" || tokens.indexOf(token) !== i);
  if (repeated !== undefined) {
    throw new DataError(
      "text/repeated-token",
      `Cannot build the vocabulary: "${repeated}" is empty or occurs twice`,
    );
  }
  if (!special.includes(pad) || !special.includes(eos)) {
    throw new DataError(
      "text/no-eos",
      "Cannot build the vocabulary: pad and eos must be among its special tokens",
    );
  }
  const added = tokens.slice(0, special.length + pieces.length).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: id < special.length,
  }));
  return {
    tokenizerJson: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: "Fuse" },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
        merges: [],
      },
    },
    tokenizerConfig: {
      tokenizer_class: "PreTrainedTokenizerFast",
      clean_up_tokenization_spaces: false,
      pad_token: pad,
      eos_token: eos,
    },
    generationConfig: { eos_token_id: tokens.indexOf(eos), pad_token_id: tokens.indexOf(pad) },
  };
}

/** Lists the pieces that vocabularies of several tasks need together, in order and without repetition. */
export function mergeVocabularies(vocabularies: readonly CharVocabulary[]): CharVocabulary {
  const [first] = vocabularies;
  if (!first) throw new RangeError("mergeVocabularies needs at least one vocabulary");
  if (vocabularies.some((v) => v.pad !== first.pad || v.eos !== first.eos)) {
    throw new DataError(
      "text/vocabulary-clash",
      "Cannot merge vocabularies with different pad or eos tokens",
    );
  }
  const union = (of: (v: CharVocabulary) => Iterable<string>) => [
    ...new Set(vocabularies.flatMap((v) => [...of(v)])),
  ];
  return {
    special: union((v) => v.special),
    pad: first.pad,
    eos: first.eos,
    pieces: union((v) => v.pieces),
    characters: union((v) => v.characters).join(""),
  };
}

/** The vocabulary of the published digit-completion model: separator, end, padding, unknown, then its characters. */
export function digitVocabulary(characters: readonly string[] = [..."0123456789,:"]): CharVocabulary {
  return { special: ["S", "E", "P", "U"], pad: "P", eos: "E", pieces: [], characters: characters.join("") };
}

/** Makes the files of the published digit-completion tokenizer, which ships without a tokenizer.json. */
export function digitTokenizerFiles(characters?: readonly string[]): CharTokenizerFiles {
  const files = buildCharTokenizer(digitVocabulary(characters));
  const names = { sep_token: "S", unk_token: "U" };
  return { ...files, tokenizerConfig: { ...files.tokenizerConfig, ...names } };
}
