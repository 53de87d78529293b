/** The plan against what trainer and generator then hold, on a device of the guaranteed limits. */
import { describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import { type ModelConfig, parseModelConfig } from "../../src/model/config.ts";
import { planMemory } from "../../src/planner/plan.ts";
import { generatorAllocates, type Measured, trainerAllocates } from "./allocated.ts";

const sizes = {
  vocab_size: 1000,
  hidden_size: 64,
  intermediate_size: 192,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  hidden_act: "silu",
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
};
const llama = (more: Record<string, unknown> = {}): ModelConfig =>
  parseModelConfig({ architectures: ["LlamaForCausalLM"], model_type: "llama", ...sizes, ...more });
const qwen = (more: Record<string, unknown> = {}): ModelConfig =>
  parseModelConfig({
    ...{ architectures: ["Qwen2ForCausalLM"], model_type: "qwen2", use_sliding_window: false },
    ...{ ...sizes, ...more },
  });

type Settings = Record<string, unknown>;
interface Case {
  config: ModelConfig;
  trainer?: Settings;
  generator?: Settings;
  maxSequence?: number;
  /** Shorter completions than the longest: the plan only has to hold what is read in the same power of two. */
  completion?: number;
}

const cases: Record<string, Case> = {
  "every parameter": { config: llama() },
  "a KL term, which keeps a reference": { config: llama(), trainer: { loss: "grpo", klBeta: 0.04 } },
  "a KL term beside adapters": {
    config: llama(),
    trainer: { loss: "grpo", klBeta: 0.04, lora: { rank: 8 } },
  },
  "adapters over biased layers": { config: qwen(), trainer: { lora: { rank: 8 } } },
  "adapters over f16, activations recomputed": {
    config: llama(),
    trainer: {
      lora: { rank: 4, targets: ["q_proj", "v_proj", "down_proj"] },
      frozenDtype: "f16",
      recompute: true,
    },
    generator: { dtype: "f16", cacheDtype: "f16" },
  },
  "activations recomputed": { config: llama(), trainer: { recompute: true } },
  "a cache in f16": { config: llama(), generator: { cacheDtype: "f16", concurrency: 24 } },
  "a head of its own": { config: llama({ tie_word_embeddings: false, vocab_size: 3001 }) },
  "long sequences": {
    config: llama({ max_position_embeddings: 1024 }),
    generator: { maxTokens: 800, concurrency: 8 },
    trainer: { batchSize: 8, microBatchTokens: 256 },
    maxSequence: 1024,
    completion: 60,
  },
  "log-probabilities computed again, in minibatches": {
    config: llama(),
    trainer: { oldLogprobs: "recompute", minibatches: 2 },
  },
  // Their 2^20 bytes fit one staging buffer when published, with the figures of a step they need a larger one.
  "parameters that a step's figures push over a power of two": { config: llama({ vocab_size: 1777 }) },
  "more parameters than are read with a step's figures": {
    config: llama({ vocab_size: 70_000 }),
    completion: 2,
  },
};

function measured({ config, trainer, generator, maxSequence = 48, completion }: Case): Measured {
  const recipe = parseRecipe({
    name: "plan",
    model: "builtin:chain-sum",
    generator: { concurrency: 16, maxTokens: 24, ...generator },
    trainer: { groupSize: 4, batchSize: 16, microBatchTokens: 160, ...trainer },
  });
  return { recipe, config, maxSequence, completion };
}

describe("planMemory() plans, to the byte,", () => {
  it.each(Object.keys(cases))("%s", async (name) => {
    const run = measured(cases[name]);
    const plan = planMemory(run.recipe, run.config, { maxSequence: run.maxSequence });
    expect(await trainerAllocates(run), "trainer").toBe(plan.trainerBytes);
    expect(await generatorAllocates(run), "generator").toBe(plan.generatorBytes);
  });
});
