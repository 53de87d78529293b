/** The whole decoder in float64, from the twins of its kernels: what exported models are held against. */
import { ropeFrequencies } from "../../src/kernels/embedding/rope_table.ts";
import { type ModelConfig, parseModelConfig, tensorNames } from "../../src/model/config.ts";
import { normals } from "../gpu_harness.ts";
import { attentionReference, segmentsOf } from "../reference/attention.ts";
import { gatherReference, ropeReference } from "../reference/embedding.ts";
import { linearReference } from "../reference/linear.ts";
import { swigluReference } from "../reference/mlp.ts";
import { headNormReference, rmsNormReference } from "../reference/norm.ts";

export type Tensors = Map<string, { shape: number[]; data: Float32Array }>;

/** (T, V) logits of one sequence. */
export function decoderReference(
  config: ModelConfig,
  tensors: Tensors,
  ids: readonly number[],
): Float64Array {
  const { width: C, mlpWidth: F, heads, kvHeads, headDim, normEps: eps, ropeTheta: theta } = config;
  const shape = { heads, kvHeads, headDim };
  const rows = ids.length;
  const weight = (name: string) => tensors.get(name)!.data;
  const linear = (x: Float64Array, name: string) => {
    const [outputs, inputs] = tensors.get(`${name}.weight`)!.shape;
    const bias = tensors.get(`${name}.bias`)?.data;
    return linearReference({ rows, outputs, inputs }, x, weight(`${name}.weight`), bias);
  };
  const add = (a: Float64Array, b: Float64Array) => a.map((value, i) => value + b[i]);
  const frequencies = ropeFrequencies({ headDim, theta, scaling: config.ropeScaling });
  const positions = ids.map((_, t) => t);

  let x = gatherReference(weight("model.embed_tokens.weight"), ids, C);
  for (let layer = 0; layer < config.layers; layer++) {
    const name = (part: string) => `model.layers.${layer}.${part}`;
    const normed = rmsNormReference(x, weight(name("input_layernorm.weight")), eps).y;
    const parts = ["q", "k", "v"].map((part) => linear(normed, name(`self_attn.${part}_proj`)));
    let qkv = sideBySide(parts, rows);
    if (config.qkNorm) {
      const [q, k] = ["q", "k"].map((part) => weight(name(`self_attn.${part}_norm.weight`)));
      qkv = headNormReference(shape, qkv, q, k, eps).y;
    }
    qkv = ropeReference(shape, qkv, positions, frequencies);
    const { out } = attentionReference(qkv, segmentsOf([rows]), shape);
    x = add(x, linear(out, name("self_attn.o_proj")));
    const mlpNormed = rmsNormReference(x, weight(name("post_attention_layernorm.weight")), eps).y;
    const gateUp = sideBySide(
      ["gate", "up"].map((part) => linear(mlpNormed, name(`mlp.${part}_proj`))),
      rows,
    );
    x = add(x, linear(swigluReference(gateUp, F), name("mlp.down_proj")));
  }
  const normed = rmsNormReference(x, weight("model.norm.weight"), eps).y;
  const head = config.tiedHead ? "model.embed_tokens.weight" : "lm_head.weight";
  return linearReference({ rows, outputs: config.vocabSize, inputs: C }, normed, weight(head));
}

/** (rows, sum of widths) from parts of (rows, width). */
function sideBySide(parts: readonly Float64Array[], rows: number): Float64Array {
  const widths = parts.map(({ length }) => length / rows);
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let n = 0; n < rows; n++) {
    for (const [i, part] of parts.entries()) {
      all.set(part.subarray(n * widths[i], (n + 1) * widths[i]), at);
      at += widths[i];
    }
  }
  return all;
}

/** Random weights for a shape: norms near 1, logits spread enough that the most probable token is a clear one. */
export function randomTensors(config: ModelConfig, seed: number): Tensors {
  return new Map(
    tensorNames(config).map(({ name, shape }, index) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const isNorm = name.endsWith("norm.weight");
      const scale = isNorm || name.endsWith("bias") ? 0.2 : 1.5 / Math.sqrt(shape[shape.length - 1]);
      const data = normals(length, 1000 * seed + index, scale);
      return [name, { shape, data: isNorm ? data.map((value) => 1 + value) : data }];
    }),
  );
}

const small = { vocab_size: 97, num_hidden_layers: 2, max_position_embeddings: 512, rms_norm_eps: 1e-6 };

/** Small models of every architecture, by what is special about them. */
export const shapes: Record<string, ModelConfig> = {
  "Qwen3, untied, own head size": parseModelConfig({
    ...small,
    model_type: "qwen3",
    hidden_size: 40,
    intermediate_size: 72,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    head_dim: 16,
    rope_theta: 1e6,
    tie_word_embeddings: false,
  }),
  "Qwen3, tied": parseModelConfig({
    ...small,
    model_type: "qwen3",
    hidden_size: 48,
    intermediate_size: 56,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    head_dim: 8,
    rope_theta: 1e6,
    tie_word_embeddings: true,
  }),
  "Qwen2, biases, one key head": parseModelConfig({
    ...small,
    model_type: "qwen2",
    hidden_size: 56,
    intermediate_size: 64,
    num_attention_heads: 7,
    num_key_value_heads: 1,
    rope_theta: 1e6,
    tie_word_embeddings: true,
  }),
  // 600 positions: more than two rows of the coarse rotary table, and no multiple of them.
  "Llama 3.1's rotary scaling": parseModelConfig({
    ...small,
    model_type: "llama",
    max_position_embeddings: 600,
    hidden_size: 48,
    intermediate_size: 80,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    rope_theta: 500000,
    rope_scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    },
    tie_word_embeddings: false,
  }),
};
