/** A model of the shape of Qwen3, two layers of it, with the built-in policy's tokenizer; and adapters of it. Node only. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freshAdapters } from "../../src/model/adapters/init.ts";
import { adapterFolderFiles } from "../../src/model/adapters/peft.ts";
import { parseModelConfig } from "../../src/model/config.ts";
import { freshWeights } from "../../src/model/init.ts";
import { modelFolderFiles } from "../../src/runs/model_folder.ts";

export type Files = Record<string, Uint8Array>;

const config = parseModelConfig({
  architectures: ["Qwen3ForCausalLM"],
  model_type: "qwen3",
  vocab_size: 28,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  hidden_act: "silu",
  max_position_embeddings: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
  attention_bias: false,
  eos_token_id: 1,
  pad_token_id: 0,
  dtype: "float32",
});

function tokenizerFiles(): Files {
  const builtIn = fileURLToPath(new URL("../../public/models/chain-sum/", import.meta.url));
  const names = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"];
  return Object.fromEntries(names.map((name) => [name, new Uint8Array(readFileSync(join(builtIn, name)))]));
}

export function tinyQwen3(): Files {
  return { ...modelFolderFiles({ config, tensors: freshWeights(config, 7) }), ...tokenizerFiles() };
}

/** A PEFT folder for it that changes what it computes, as a run with adapters hands it out. */
export function tinyAdapters(baseModel: string): Files {
  const settings = { rank: 4, alpha: 8, targets: ["q_proj", "v_proj", "down_proj"] as const };
  const tensors = freshAdapters(config, settings, 3);
  for (const [name, { data }] of tensors) if (name.includes("lora_B")) data.fill(0.02);
  return { ...adapterFolderFiles({ settings, tensors, baseModel, revision: null }), ...tokenizerFiles() };
}

export const sizeOf = (files: Files): number =>
  Object.values(files).reduce((sum, { byteLength }) => sum + byteLength, 0);
