/**
 * llama2.c's tokenizer.bin as a tokenizer.json: a byte-pair model whose merges follow from the pieces' scores, as Hugging
 * Face converts Llama's vocabularies.
 */
import { DataError } from "../errors.ts";

export interface ScoredPiece {
  text: string;
  /** Of two merges, the one that makes the piece of the higher score comes first. */
  score: number;
}

/** The first three ids; the file spells two of them with line breaks around. */
const CONTROL = ["<unk>", "<s>", "</s>"];
const SPACE = "▁";

const refuse = (found: string) =>
  new DataError("text/bad-vocabulary", `Cannot read the tokenizer: ${found}`, {
    hint: "Name a tokenizer.bin as llama2.c's tokenizer.py writes it.",
  });

/**
 * Reads pieces by id: the longest piece's length, then score, length and bytes of each.
 * @throws DataError `text/bad-vocabulary`
 */
export function readPieces(bytes: Uint8Array): ScoredPiece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  const pieces: ScoredPiece[] = [];
  let at = 4;
  while (at < bytes.byteLength) {
    const length = at + 8 <= bytes.byteLength ? view.getInt32(at + 4, true) : -1;
    const end = at + 8 + length;
    if (length < 0 || end > bytes.byteLength) throw refuse(`it is cut or damaged at piece ${pieces.length}`);
    pieces.push({ text: utf8.decode(bytes.subarray(at + 8, end)), score: view.getFloat32(at, true) });
    at = end;
  }
  if (pieces.length <= CONTROL.length) throw refuse(`it has ${pieces.length} pieces`);
  return pieces;
}

/** Every way to make a piece of two others, best piece first. */
function mergesOf(
  pieces: readonly ScoredPiece[],
  vocabulary: ReadonlyMap<string, number>,
): [string, string][] {
  const found: { pair: [string, string]; score: number; ids: [number, number] }[] = [];
  for (const { text, score } of pieces) {
    const characters = [...text];
    for (let cut = 1; cut < characters.length; cut++) {
      const pair: [string, string] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")];
      const [left, right] = pair.map((half) => vocabulary.get(half));
      if (left !== undefined && right !== undefined) found.push({ pair, score, ids: [left, right] });
    }
  }
  found.sort((a, b) => b.score - a.score || a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]);
  return found.map(({ pair }) => pair);
}

/** Makes tokenizer.json and tokenizer_config.json of a vocabulary. */
export function llama2cTokenizer(pieces: readonly ScoredPiece[]): {
  tokenizerJson: Record<string, unknown>;
  tokenizerConfig: Record<string, unknown>;
} {
  const spelt = pieces.map(({ text, score }, id) => ({
    text: CONTROL[id] ?? text.replaceAll(" ", SPACE),
    score,
  }));
  const vocabulary = new Map<string, number>();
  for (const [id, { text }] of spelt.entries()) if (!vocabulary.has(text)) vocabulary.set(text, id);
  const isMade = ({ text }: ScoredPiece) => !/^<0x[0-9A-F]{2}>$/.test(text);
  const control = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const begin = { SpecialToken: { id: "<s>", type_id: 0 } };
  return {
    tokenizerJson: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: CONTROL.map((content, id) => ({ id, content, ...control })),
      normalizer: {
        type: "Sequence",
        normalizers: [
          { type: "Prepend", prepend: SPACE },
          { type: "Replace", pattern: { String: " " }, content: SPACE },
        ],
      },
      pre_tokenizer: null,
      post_processor: {
        type: "TemplateProcessing",
        single: [begin, { Sequence: { id: "A", type_id: 0 } }],
        pair: [begin, { Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
        special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
      },
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: SPACE }, content: " " },
          { type: "ByteFallback" },
          { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: "<unk>",
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: true,
        byte_fallback: true,
        vocab: Object.fromEntries(vocabulary),
        merges: mergesOf(spelt.slice(CONTROL.length).filter(isMade), vocabulary),
      },
    },
    tokenizerConfig: {
      tokenizer_class: "LlamaTokenizer",
      bos_token: "<s>",
      eos_token: "</s>",
      unk_token: "<unk>",
      clean_up_tokenization_spaces: false,
    },
  };
}
