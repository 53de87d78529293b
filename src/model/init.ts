/** Fresh weights for a new policy, and the config.json of a small Llama. */
import { randomStream } from "../random.ts";
import { type ModelConfig, parseModelConfig } from "./config.ts";
import { layoutParameters } from "./layout.ts";

export interface SmallLlama {
  vocabSize: number;
  width: number;
  layers: number;
  heads: number;
  kvHeads: number;
  mlpWidth: number;
  maxPositions: number;
  eosId: number;
  padId: number;
}

/** A Llama configuration with a tied head, in the Hugging Face form. */
export function smallLlamaConfig(shape: SmallLlama): ModelConfig {
  return parseModelConfig({
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: shape.vocabSize,
    hidden_size: shape.width,
    intermediate_size: shape.mlpWidth,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.width / shape.heads,
    hidden_act: "silu",
    max_position_embeddings: shape.maxPositions,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: true,
    attention_bias: false,
    bos_token_id: null,
    eos_token_id: shape.eosId,
    pad_token_id: shape.padId,
    torch_dtype: "float32",
  });
}

/**
 * Weights by Hugging Face name: norms 1, biases 0, matrices normal with deviation 0.02·√(768/C) and, for the two
 * projections that write into the residual stream, a further 1/√(2L) (GPT-2's rule, scaled to the width).
 */
export function freshWeights(
  config: ModelConfig,
  seed: number,
): Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }> {
  const deviation = 0.02 * Math.sqrt(768 / config.width);
  const tensors = new Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>();
  layoutParameters(config).tensors.forEach(({ name, shape, length }, index) => {
    const data = new Float32Array(length);
    if (name.endsWith("norm.weight")) data.fill(1);
    else if (!name.endsWith("bias")) {
      const intoStream = name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight");
      const scale = intoStream ? deviation / Math.sqrt(2 * config.layers) : deviation;
      const random = randomStream(seed, index);
      for (let i = 0; i < length; i++)
        data[i] = scale * Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
    }
    tensors.set(name, { shape, data });
  });
  return tensors;
}
