import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import { countParameters, parseModelConfig, tensorNames } from "../../src/model/config.ts";

const llama = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_act: "silu",
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  eos_token_id: 2,
};
const qwen2 = { ...llama, model_type: "qwen2", architectures: ["Qwen2ForCausalLM"] };
const qwen3 = { ...llama, model_type: "qwen3", architectures: ["Qwen3ForCausalLM"], head_dim: 8 };

function refusal(json: unknown): DataError {
  try {
    parseModelConfig(json);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("parseModelConfig()", () => {
  it("reads a Llama with its defaults", () => {
    const config = parseModelConfig(llama);
    expect(config).toMatchObject({
      modelType: "llama",
      vocabSize: 32,
      width: 16,
      mlpWidth: 24,
      layers: 2,
      heads: 4,
      kvHeads: 2,
      headDim: 4,
      ropeTheta: 10000,
      normEps: 1e-5,
      tiedHead: false,
      attentionBias: false,
      qkNorm: false,
      maxPositions: 2048,
      eosIds: [2],
      bosId: null,
      padId: null,
    });
    expect(config.ropeScaling).toBeUndefined();
    expect(config.raw).toBe(llama);
    expect(parseModelConfig({ ...llama, num_key_value_heads: undefined }).kvHeads).toBe(4);
  });

  it("knows the biases of Qwen2 and the norms of Qwen3", () => {
    expect(parseModelConfig(qwen2)).toMatchObject({ attentionBias: true, qkNorm: false, headDim: 4 });
    expect(parseModelConfig(qwen3)).toMatchObject({ attentionBias: false, qkNorm: true, headDim: 8 });
  });

  it("reads a Mistral whose window is off as a Llama, and refuses one whose window slides", () => {
    const mistral = { ...llama, model_type: "mistral", architectures: ["MistralForCausalLM"] };
    const long = { ...mistral, max_position_embeddings: 32768 };
    const shape = { modelType: "mistral", attentionBias: false, qkNorm: false, headDim: 4 };
    expect(parseModelConfig({ ...long, sliding_window: null })).toMatchObject(shape);
    expect(parseModelConfig(mistral)).toMatchObject({ ...shape, maxPositions: 2048 });
    expect(tensorNames(parseModelConfig(mistral))).toEqual(tensorNames(parseModelConfig(llama)));
    for (const window of [{ sliding_window: 4096 }, {}]) {
      expect(refusal({ ...long, ...window })).toMatchObject({ code: "model/unsupported" });
      expect(refusal({ ...long, ...window }).message).toMatch(/sliding window/);
    }
  });

  it("reads Llama 3.1's rotary scaling in its three spellings", () => {
    const numbers = {
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    };
    const wanted = {
      ropeTheta: 500000,
      ropeScaling: {
        kind: "llama3",
        factor: 8,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: 64,
      },
    };
    for (const spelling of [
      { rope_theta: 500000, rope_scaling: { rope_type: "llama3", ...numbers } },
      { rope_theta: 500000, rope_scaling: { type: "llama3", ...numbers } },
      { rope_parameters: { rope_theta: 500000, rope_type: "llama3", ...numbers } },
    ]) {
      expect(parseModelConfig({ ...llama, ...spelling })).toMatchObject(wanted);
    }
    const plain = { rope_parameters: { rope_theta: 7, rope_type: "default" }, rope_theta: 9 };
    expect(parseModelConfig({ ...llama, ...plain })).toMatchObject({ ropeTheta: 7 });
  });

  it("reads several end-of-sequence ids and takes -1 for none", () => {
    expect(parseModelConfig({ ...llama, eos_token_id: [3, 4], pad_token_id: -1 })).toMatchObject({
      eosIds: [3, 4],
      padId: null,
    });
  });

  it("refuses what it cannot compute, with a code and a hint", () => {
    const cases: [string, object, string][] = [
      [
        "other architecture",
        { model_type: "gpt2", architectures: ["GPT2LMHeadModel"] },
        "model/unknown-architecture",
      ],
      [
        "mixture of experts",
        { model_type: "qwen3_moe", architectures: ["Qwen3MoeForCausalLM"] },
        "model/unknown-architecture",
      ],
      ["classifier", { architectures: ["LlamaForSequenceClassification"] }, "model/unknown-architecture"],
      ["activation", { hidden_act: "gelu" }, "model/unsupported"],
      ["yarn", { rope_scaling: { rope_type: "yarn", factor: 4 } }, "model/unsupported"],
      ["partial rotation", { partial_rotary_factor: 0.5 }, "model/unsupported"],
      ["MLP bias", { mlp_bias: true }, "model/unsupported"],
      ["output bias", { attention_bias: true }, "model/unsupported"],
      ["quantised", { quantization_config: { bits: 4 } }, "model/unsupported"],
      ["window", { use_sliding_window: true, sliding_window: 512 }, "model/unsupported"],
      ["layer types", { layer_types: ["full_attention", "sliding_attention"] }, "model/unsupported"],
      ["no width", { hidden_size: undefined }, "model/bad-config"],
      ["zero layers", { num_hidden_layers: 0 }, "model/bad-config"],
      ["half a head", { num_attention_heads: 4.5 }, "model/bad-config"],
      ["text for a number", { vocab_size: "32" }, "model/bad-config"],
      ["indivisible width", { hidden_size: 18 }, "model/bad-config"],
      ["odd head", { head_dim: 5 }, "model/bad-config"],
      ["ungrouped heads", { num_key_value_heads: 3 }, "model/bad-config"],
      ["negative eps", { rms_norm_eps: -1 }, "model/bad-config"],
      ["text for a flag", { tie_word_embeddings: "yes" }, "model/bad-config"],
      ["eos outside", { eos_token_id: 32 }, "model/bad-config"],
      ["llama3 without factor", { rope_scaling: { rope_type: "llama3" } }, "model/bad-config"],
    ];
    for (const [what, change, code] of cases) {
      const error = refusal({ ...llama, ...change });
      expect(error.code, what).toBe(code);
      expect(error.hint, what).toBeTruthy();
    }
    for (const json of [null, 3, [], "text"]) expect(refusal(json).code).toBe("model/bad-config");
  });
});

describe("tensorNames()", () => {
  it("lists every tensor of a Qwen2 with a head of its own", () => {
    const shapes = new Map(tensorNames(parseModelConfig(qwen2)).map(({ name, shape }) => [name, shape]));
    expect(shapes.size).toBe(1 + 2 * 12 + 2);
    expect(shapes.get("model.layers.1.self_attn.k_proj.bias")).toEqual([8]);
    expect(shapes.get("model.layers.0.self_attn.k_proj.weight")).toEqual([8, 16]);
    expect(shapes.get("model.layers.0.self_attn.o_proj.weight")).toEqual([16, 16]);
    expect(shapes.get("model.layers.0.mlp.down_proj.weight")).toEqual([16, 24]);
    expect(shapes.get("lm_head.weight")).toEqual([32, 16]);
  });

  it("gives Qwen3's heads their own size and a tied model no head", () => {
    const config = parseModelConfig({ ...qwen3, tie_word_embeddings: true });
    const shapes = new Map(tensorNames(config).map(({ name, shape }) => [name, shape]));
    expect(shapes.get("model.layers.0.self_attn.q_norm.weight")).toEqual([8]);
    expect(shapes.get("model.layers.0.self_attn.o_proj.weight")).toEqual([16, 32]);
    expect(shapes.has("lm_head.weight")).toBe(false);
    const perLayer = 16 + 2 * 8 + 16 * 32 + 2 * (16 * 16) + 16 * 32 + 16 + 3 * 16 * 24;
    expect(countParameters(config)).toBe(32 * 16 + 2 * perLayer + 16);
  });
});
