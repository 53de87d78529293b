/**
 * llama2.c's checkpoints (`stories15M.bin` and their kin) with their tokenizer.bin, as a model folder in Hugging Face
 * layout. Takes bytes, so it runs in the browser; only `openLlama2cFile` touches the disk.
 */
import { DataError } from "../errors.ts";
import { type ModelConfig, parseModelConfig } from "../model/config.ts";
import { writeSafetensors } from "../model/safetensors.ts";
import { llama2cTokenizer, readPieces } from "./llama2c_tokenizer.ts";
import { type ModelSource, type ModelTensor, openModelMemory } from "./source.ts";

export interface Llama2cModel {
  config: ModelConfig;
  /** By Hugging Face name. */
  tensors: Map<string, ModelTensor>;
}

/** Seven int32: width, MLP width, layers, heads, key/value heads, vocabulary, longest sequence. */
const HEADER_BYTES = 28;
/** How later versions of the format begin. */
const VERSIONED_MAGIC = 0x616b3432;

const refuse = (where: string, found: string, hint: string) =>
  new DataError("model/bad-file", `Cannot read ${where} as a llama2.c checkpoint: ${found}`, { hint });

interface Header {
  width: number;
  mlpWidth: number;
  layers: number;
  heads: number;
  kvHeads: number;
  vocab: number;
  maxPositions: number;
  /** The head is the embedding: the vocabulary's size is positive. */
  tied: boolean;
}

function readHeader(bytes: Uint8Array, where: string): Header {
  const whole = "Name a whole .bin file as llama2.c's export.py writes it with --version 0.";
  if (bytes.byteLength < HEADER_BYTES) throw refuse(where, `it has ${bytes.byteLength} bytes`, whole);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (view.getUint32(0, true) === VERSIONED_MAGIC) {
    throw refuse(where, `it is of version ${view.getInt32(4, true)}, only version 0 is read`, whole);
  }
  const [width, mlpWidth, layers, heads, kvHeads, vocab, maxPositions] = Array.from({ length: 7 }, (_, i) =>
    view.getInt32(4 * i, true),
  );
  const sizes = { width, mlpWidth, layers, heads, kvHeads, vocab: Math.abs(vocab), maxPositions };
  const odd = Object.entries(sizes).find(([, size]) => size <= 0 || size > 2 ** 24);
  if (odd) throw refuse(where, `its header says ${odd[0]} ${odd[1]}`, whole);
  if (width % (2 * heads) !== 0 || heads % kvHeads !== 0) {
    throw refuse(where, `its header says ${width} wide with ${heads} heads, ${kvHeads} of keys`, whole);
  }
  const header = { ...sizes, tied: vocab > 0 };
  const needed = HEADER_BYTES + 4 * floatCount(header);
  if (bytes.byteLength === needed) return header;
  throw refuse(where, `it has ${bytes.byteLength} bytes, its header needs ${needed}`, whole);
}

/** Values in the file; behind the last norm lie two rotary tables, which are computed anew. */
function floatCount({ width, mlpWidth, layers, heads, kvHeads, vocab, maxPositions, tied }: Header): number {
  const keys = kvHeads * (width / heads) * width;
  const layer = 2 * width + 2 * width * width + 2 * keys + 3 * width * mlpWidth;
  return vocab * width * (tied ? 1 : 2) + layers * layer + width + maxPositions * (width / heads);
}

/**
 * Reads a checkpoint: the header, then f32 tensors, each kind for all layers together.
 * @throws DataError `model/bad-file`
 */
export function readLlama2c(bytes: Uint8Array, where = "the file"): Llama2cModel {
  const header = readHeader(bytes, where);
  const { width, mlpWidth, layers, heads, kvHeads, vocab, maxPositions, tied } = header;
  const headDim = width / heads;
  const start = bytes.byteOffset + HEADER_BYTES;
  const values =
    start % 4 === 0
      ? new Float32Array(bytes.buffer, start, floatCount(header))
      : new Float32Array(new Uint8Array(bytes.subarray(HEADER_BYTES)).buffer);
  let at = 0;
  const take = (...shape: number[]): ModelTensor => {
    const from = at;
    at += shape.reduce((product, size) => product * size, 1);
    return { shape, data: values.subarray(from, at) };
  };
  const perLayer = (...shape: number[]) => Array.from({ length: layers }, () => take(...shape));
  const tensors = new Map([["model.embed_tokens.weight", take(vocab, width)]]);
  const kinds: [string, ModelTensor[]][] = [
    ["input_layernorm", perLayer(width)],
    ["self_attn.q_proj", perLayer(width, width)],
    ["self_attn.k_proj", perLayer(kvHeads * headDim, width)],
    ["self_attn.v_proj", perLayer(kvHeads * headDim, width)],
    ["self_attn.o_proj", perLayer(width, width)],
    ["post_attention_layernorm", perLayer(width)],
    ["mlp.gate_proj", perLayer(mlpWidth, width)],
    ["mlp.down_proj", perLayer(width, mlpWidth)],
    ["mlp.up_proj", perLayer(mlpWidth, width)],
  ];
  for (const [kind, ofLayers] of kinds) {
    const isRotated = kind === "self_attn.q_proj" || kind === "self_attn.k_proj";
    ofLayers.forEach(({ shape, data }, layer) => {
      const rows = isRotated ? halvesFromPairs(data, headDim, width) : data;
      tensors.set(`model.layers.${layer}.${kind}.weight`, { shape, data: rows });
    });
  }
  tensors.set("model.norm.weight", take(width));
  take(maxPositions, headDim);
  if (!tied) tensors.set("lm_head.weight", take(vocab, width));
  const config = parseModelConfig({
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocab,
    hidden_size: width,
    intermediate_size: mlpWidth,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    max_position_embeddings: maxPositions,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: tied,
    bos_token_id: 1,
    // The stories were trained one behind the other with 1 between them, so that one ends a story as well.
    eos_token_id: [1, 2],
  });
  return { config, tensors };
}

/** Rows 2j and 2j + 1 of each head are a rotary pair there; here they are rows j and j + D/2. */
function halvesFromPairs(rows: Float32Array, headDim: number, width: number): Float32Array {
  const moved = new Float32Array(rows.length);
  for (let row = 0; row < rows.length / width; row++) {
    const [head, within] = [Math.floor(row / headDim) * headDim, row % headDim];
    const source = head + (within < headDim / 2 ? 2 * within : 2 * (within - headDim / 2) + 1);
    moved.set(rows.subarray(source * width, (source + 1) * width), row * width);
  }
  return moved;
}

/**
 * A checkpoint and its vocabulary as a source of a model's files.
 * @throws DataError `model/bad-file`, `text/bad-vocabulary`
 */
export function openLlama2c(model: Uint8Array, tokenizer: Uint8Array, where = "the file"): ModelSource {
  const { config, tensors } = readLlama2c(model, where);
  const pieces = readPieces(tokenizer);
  if (pieces.length !== config.vocabSize) {
    throw new DataError(
      "text/bad-vocabulary",
      `Cannot use the tokenizer of ${where}: it has ${pieces.length} pieces, the model ${config.vocabSize}`,
      { hint: "Take the tokenizer.bin that belongs to this model." },
    );
  }
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const { tokenizerJson, tokenizerConfig } = llama2cTokenizer(pieces);
  const entries = [...tensors].map(([name, tensor]) => [name, { dtype: "F32" as const, ...tensor }] as const);
  return openModelMemory(
    {
      "config.json": json(config.raw),
      "generation_config.json": json({ bos_token_id: 1, eos_token_id: config.eosIds }),
      "tokenizer.json": json(tokenizerJson),
      "tokenizer_config.json": json(tokenizerConfig),
      "model.safetensors": writeSafetensors(Object.fromEntries(entries)),
    },
    where,
  );
}

/** Whether a model's path is that of a single llama2.c file. */
export const isLlama2cFile = (path: string): boolean => /\.bin$/i.test(path);

/**
 * Opens FILE.bin with the vocabulary beside it: `tok512.bin` for one of 512 pieces, or `tokenizer.bin`. Deno and Node.
 * @throws DataError `model/no-folder`, `model/missing-file`, and what `openLlama2c` throws
 */
export async function openLlama2cFile(path: string): Promise<ModelSource> {
  const { readFile } = await import("node:fs/promises");
  const { dirname, join } = await import("node:path");
  const model = await readFile(path).catch((cause: unknown) => {
    const found = (cause as Error).message;
    throw new DataError("model/no-folder", `Cannot load the model ${path}: ${found}`, {
      hint: "Name an existing llama2.c file, or a model folder",
      cause,
    });
  });
  const { vocab } = readHeader(model, path);
  const names = [`tok${vocab}.bin`, "tokenizer.bin"];
  for (const name of names) {
    const tokenizer = await readFile(join(dirname(path), name)).catch(() => null);
    if (tokenizer !== null) return openLlama2c(model, tokenizer, path);
  }
  throw new DataError(
    "model/missing-file",
    `Cannot load the model ${path}: neither ${names.join(" nor ")} is beside it`,
    { hint: "Put the tokenizer that belongs to the model into the same folder" },
  );
}
