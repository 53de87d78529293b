/** Small checkpoints in memory, whole and in shards, for tests of how they are read. */
import { type ModelConfig, parseModelConfig, tensorNames } from "../../src/model/config.ts";
import { type WritableTensor, writeSafetensors } from "../../src/model/safetensors.ts";
import { randomStream } from "../../src/random.ts";

const raw = {
  architectures: ["Qwen2ForCausalLM"],
  model_type: "qwen2",
  vocab_size: 37,
  hidden_size: 12,
  intermediate_size: 20,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
  eos_token_id: 2,
};
export const config: ModelConfig = parseModelConfig(raw);
export const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

export type StoredDtype = "F32" | "F16" | "BF16" | "F64";

/** Values between -4 and 4, seeded; with a tensor that the reader leaves out. */
export function randomTensors(dtype: StoredDtype, seed: number): Record<string, WritableTensor> {
  const random = randomStream(seed, 1);
  const tensors: Record<string, WritableTensor> = {
    "model.layers.0.self_attn.rotary_emb.inv_freq": { dtype: "F32", shape: [2], data: [1, 0.5] },
  };
  for (const { name, shape } of tensorNames(config)) {
    const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.unit() * 8 - 4);
    tensors[name] = { dtype, shape, data };
  }
  return tensors;
}

/** A folder with one weight file. */
export function wholeFolder(tensors: Record<string, WritableTensor>): Record<string, Uint8Array> {
  return { "config.json": jsonBytes(raw), "model.safetensors": writeSafetensors(tensors) };
}

/** A folder with an index and `count` files. */
export function shardedFolder(
  tensors: Record<string, WritableTensor>,
  count: number,
): Record<string, Uint8Array> {
  const names = Object.keys(tensors);
  const fileOf = (index: number) => `model-0000${(index % count) + 1}-of-0000${count}.safetensors`;
  const files: Record<string, Uint8Array> = {
    "config.json": jsonBytes(raw),
    "model.safetensors.index.json": jsonBytes({
      metadata: {},
      weight_map: Object.fromEntries(names.map((name, index) => [name, fileOf(index)])),
    }),
  };
  for (let shard = 0; shard < count; shard++) {
    const held = names.filter((_, index) => index % count === shard);
    files[fileOf(shard)] = writeSafetensors(Object.fromEntries(held.map((name) => [name, tensors[name]])));
  }
  return files;
}
