/** Reads llama2.c's checkpoint and vocabulary files into the Hugging Face layout, for tests. */
import type { ModelConfig } from "../../src/model/config.ts";
import { parseModelConfig } from "../../src/model/config.ts";

export interface Llama2cModel {
  config: ModelConfig;
  tensors: Map<string, { shape: number[]; data: Float32Array }>;
}

/**
 * Seven int32 (width, MLP width, layers, heads, key/value heads, vocabulary, longest sequence), then f32 tensors, each
 * kind for all layers together. A positive vocabulary size means a tied head.
 */
export function readLlama2c(bytes: Uint8Array): Llama2cModel {
  const header = new DataView(bytes.buffer, bytes.byteOffset, 28);
  const [width, mlpWidth, layers, heads, kvHeads, vocab, maxPositions] = Array.from({ length: 7 }, (_, i) =>
    header.getInt32(4 * i, true),
  );
  const headDim = width / heads;
  const values = new Float32Array(bytes.slice(28).buffer);
  let at = 0;
  const take = (...shape: number[]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    at += length;
    return { shape, data: values.slice(at - length, at) };
  };
  const perLayer = (...shape: number[]) => Array.from({ length: layers }, () => take(...shape));
  const tensors: Llama2cModel["tensors"] = new Map([["model.embed_tokens.weight", take(vocab, width)]]);
  const kinds: [string, ReturnType<typeof perLayer>][] = [
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
      tensors.set(`model.layers.${layer}.${kind}.weight`, {
        shape,
        data: isRotated ? halvesFromPairs(data, headDim, width) : data,
      });
    });
  }
  tensors.set("model.norm.weight", take(width));
  const config = parseModelConfig({
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: Math.abs(vocab),
    hidden_size: width,
    intermediate_size: mlpWidth,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    max_position_embeddings: maxPositions,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: vocab > 0,
    bos_token_id: 1,
    eos_token_id: 2,
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

/** Pieces by id from a tokenizer file: the longest piece's length, then score, length and bytes of each. */
export function readPieces(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: string[] = [];
  for (let at = 4; at < bytes.byteLength; ) {
    const length = view.getInt32(at + 4, true);
    pieces.push(new TextDecoder().decode(bytes.subarray(at + 8, at + 8 + length)));
    at += 8 + length;
  }
  return pieces;
}

/** Text of tokens that follow the beginning-of-sequence token: its successor loses its leading space. */
export function piecesText(pieces: readonly string[], tokens: Iterable<number>): string {
  const text = Array.from(tokens, (token) => {
    const byte = /^<0x([0-9A-F]{2})>$/.exec(pieces[token]);
    return byte ? String.fromCharCode(Number.parseInt(byte[1], 16)) : pieces[token];
  }).join("");
  return text.replace(/^ /, "");
}
