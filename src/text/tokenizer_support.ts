/**
 * Refuses tokenizer.json files that the tokenizer library would load but encode differently from the reference
 * implementation: unknown component types, split behaviours it approximates, patterns it cannot express.
 * Called by `tokenizer.ts` alone.
 */
import { DataError } from "../errors.ts";

export type JsonObject = Record<string, unknown>;

type Slot = "normalizer" | "pre_tokenizer" | "post_processor" | "decoder";

const KNOWN_TYPES: Record<Slot, readonly string[]> = {
  normalizer: [
    "BertNormalizer",
    "Lowercase",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Precompiled",
    "Prepend",
    "Replace",
    "Strip",
    "StripAccents",
  ],
  pre_tokenizer: [
    "BertPreTokenizer",
    "ByteLevel",
    "Digits",
    "Metaspace",
    "Punctuation",
    "Split",
    "Whitespace",
    "WhitespaceSplit",
  ],
  post_processor: ["BertProcessing", "ByteLevel", "RobertaProcessing", "TemplateProcessing"],
  decoder: ["BPEDecoder", "ByteFallback", "ByteLevel", "Fuse", "Metaspace", "Replace", "Strip", "WordPiece"],
};

/** Where a Sequence of each kind keeps its parts. */
const SEQUENCE_PARTS: Record<Slot, string> = {
  normalizer: "normalizers",
  pre_tokenizer: "pretokenizers",
  post_processor: "processors",
  decoder: "decoders",
};

const MODELS = ["BPE", "Unigram", "WordLevel", "WordPiece"];

/** Tells whether a value is a plain JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unsupported(found: string, needed: string): DataError {
  return new DataError(
    "text/unsupported-tokenizer",
    `Cannot use tokenizer.json: ${found}; needed: ${needed}`,
    {
      hint: "Choose a model whose tokenizer.json uses the supported parts, so that no text is mis-tokenised.",
    },
  );
}

function checkSplit(part: JsonObject, slot: Slot): void {
  const pattern = part.pattern;
  if (!isObject(pattern) || (typeof pattern.Regex !== "string" && typeof pattern.String !== "string")) {
    throw unsupported(
      `the ${slot} ${String(part.type)} has no readable pattern`,
      "a Regex or String pattern",
    );
  }
  if (typeof pattern.Regex === "string" && pattern.Regex.includes("\\G")) {
    throw unsupported(`the ${slot} pattern uses \\G`, "a pattern that JavaScript can express");
  }
  if (part.type !== "Split") return;
  const behavior = String(part.behavior ?? "").toLowerCase();
  if (behavior !== "isolated" && behavior !== "removed") {
    throw unsupported(`the Split behaviour is "${String(part.behavior)}"`, "Isolated or Removed");
  }
  if (part.invert === true && behavior !== "removed") {
    throw unsupported(
      "an inverted Split keeps what lies between matches",
      "invert false, or behaviour Removed",
    );
  }
}

function checkPart(part: unknown, slot: Slot): void {
  if (part === null || part === undefined) return;
  if (!isObject(part)) throw unsupported(`the ${slot} is not an object`, "an object or null");
  if (part.type === "Sequence") {
    const parts = part[SEQUENCE_PARTS[slot]];
    if (!Array.isArray(parts)) throw unsupported(`the ${slot} Sequence lists no parts`, "a list of parts");
    for (const inner of parts) checkPart(inner, slot);
    return;
  }
  const type = String(part.type);
  if (!KNOWN_TYPES[slot].includes(type)) {
    throw unsupported(`unknown ${slot} type "${type}"`, `one of ${KNOWN_TYPES[slot].join(", ")}`);
  }
  if (slot === "pre_tokenizer" && type === "Split") checkSplit(part, slot);
}

/** Gives the model's type, inferred from its shape where old files leave it out. */
function modelType(model: JsonObject): string {
  if (typeof model.type === "string") return model.type;
  if (Array.isArray(model.merges)) return "BPE";
  return Array.isArray(model.vocab) ? "Unigram" : "unknown";
}

/**
 * Returns a checked copy of a parsed tokenizer.json in which every slot the library reads is present.
 * @throws DataError where a part is unknown or would be encoded differently from the reference.
 */
export function checkTokenizerJson(
  file: unknown,
): JsonObject & { model: JsonObject; added_tokens: JsonObject[] } {
  if (!isObject(file)) throw unsupported("it is not a JSON object", "a Hugging Face tokenizer.json");
  const { model } = file;
  if (!isObject(model)) throw unsupported('it has no "model"', "a Hugging Face tokenizer.json");
  const type = modelType(model);
  if (!MODELS.includes(type))
    throw unsupported(`unknown model type "${type}"`, `one of ${MODELS.join(", ")}`);
  if (!isObject(model.vocab) && !Array.isArray(model.vocab)) {
    throw unsupported("its model has no vocab", "a vocabulary");
  }
  if (type === "BPE" && !Array.isArray(model.merges))
    throw unsupported("its BPE model has no merges", "merges");
  for (const slot of Object.keys(KNOWN_TYPES) as Slot[]) checkPart(file[slot], slot);
  const added = file.added_tokens ?? [];
  if (!Array.isArray(added) || !added.every((t) => isObject(t) && typeof t.content === "string")) {
    throw unsupported("its added_tokens are not a list of tokens", "a list of {id, content}");
  }
  return {
    ...file,
    normalizer: file.normalizer ?? null,
    pre_tokenizer: file.pre_tokenizer ?? null,
    post_processor: file.post_processor ?? null,
    decoder: file.decoder ?? null,
    added_tokens: added as JsonObject[],
    model: { ...model, type },
  };
}
