import { describe, expect, it } from "vitest";
import { DataError } from "../../../src/errors.ts";
import {
  ADAPTER_MODULES,
  type AdapterSettings,
  adapterScale,
  parseAdapterConfig,
  writeAdapterConfig,
} from "../../../src/model/adapters/config.ts";

/** As PEFT 0.19 writes it. */
const WRITTEN = {
  alora_invocation_tokens: null,
  alpha_pattern: {},
  arrow_config: null,
  auto_mapping: null,
  base_model_name_or_path: "HuggingFaceTB/SmolLM2-135M-Instruct",
  bias: "none",
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_alpha: 16,
  lora_bias: false,
  lora_dropout: 0.05,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: "megatron.core",
  modules_to_save: null,
  peft_type: "LORA",
  peft_version: "0.19.1",
  qalora_group_size: 16,
  r: 8,
  rank_pattern: {},
  revision: "main",
  target_modules: ["up_proj", "self_attn.q_proj", "v_proj"],
  target_parameters: null,
  task_type: "CAUSAL_LM",
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  use_rslora: false,
};

const settings: AdapterSettings = { rank: 16, alpha: 32, targets: ["k_proj", "down_proj"] };

describe("parseAdapterConfig()", () => {
  it("reads what PEFT writes, and puts the modules in order", () => {
    expect(parseAdapterConfig(WRITTEN)).toEqual({
      settings: { rank: 8, alpha: 16, targets: ["q_proj", "v_proj", "up_proj"] },
      baseModel: "HuggingFaceTB/SmolLM2-135M-Instruct",
      revision: "main",
    });
  });

  it("takes all-linear as the seven modules", () => {
    const { settings } = parseAdapterConfig({ ...WRITTEN, target_modules: "all-linear" });
    expect(settings.targets).toEqual(ADAPTER_MODULES);
  });

  it("reads files of early versions, which leave most keys out", () => {
    const early = { peft_type: "LORA", r: 4, lora_alpha: 4.5, target_modules: ["o_proj"] };
    expect(parseAdapterConfig(early)).toEqual({
      settings: { rank: 4, alpha: 4.5, targets: ["o_proj"] },
      baseModel: null,
      revision: null,
    });
  });

  it.each([
    ["peft_type", "IA3"],
    ["task_type", "SEQ_CLS"],
    ["bias", "lora_only"],
    ["use_dora", true],
    ["use_qalora", true],
    ["lora_bias", true],
    ["fan_in_fan_out", true],
    ["rank_pattern", { "layers.0.self_attn.q_proj": 4 }],
    ["alpha_pattern", { q_proj: 4 }],
    ["modules_to_save", ["lm_head"]],
    ["exclude_modules", ["v_proj"]],
    ["layers_to_transform", [0, 1]],
    ["layers_to_transform", 0],
    ["layer_replication", [[0, 4]]],
    ["target_parameters", ["mlp.experts.gate_up_proj"]],
    ["trainable_token_indices", [1, 2]],
    ["alora_invocation_tokens", [5]],
    ["init_lora_weights", "pissa_niter_16"],
    ["init_lora_weights", "olora"],
    ["a_setting_of_the_future", "on"],
    ["target_modules", ".*proj"],
    ["target_modules", "q_proj"],
    ["target_modules", ["q_proj", "lm_head"]],
    ["target_modules", ["embed_tokens"]],
    ["target_modules", ["mlp.q_proj"]],
    ["target_modules", ["model.layers.3.self_attn.q_proj"]],
  ])("refuses %s %j by name", (key, value) => {
    const refused = () => parseAdapterConfig({ ...WRITTEN, [key]: value });
    expect(refused).toThrow(DataError);
    expect(refused).toThrow(
      expect.objectContaining({ code: "adapter/unsupported", hint: expect.any(String) }),
    );
    const named = key === "target_modules" ? [value].flat().at(-1) : key;
    expect(refused).toThrow(String(named));
  });

  it.each([
    ["r", 0],
    ["r", 1.5],
    ["r", null],
    ["lora_alpha", 0],
    ["lora_alpha", "16"],
    ["use_rslora", "yes"],
    ["target_modules", []],
    ["target_modules", null],
    ["base_model_name_or_path", 7],
    ["revision", {}],
  ])("refuses %s %j as no such file of PEFT's", (key, value) => {
    const refused = () => parseAdapterConfig({ ...WRITTEN, [key]: value });
    expect(refused).toThrow(expect.objectContaining({ name: "DataError", code: "adapter/bad-config" }));
    expect(refused).toThrow(key);
  });

  it("refuses what is no object", () => {
    for (const json of [null, [], "LORA"])
      expect(() => parseAdapterConfig(json)).toThrow("not a JSON object");
  });
});

describe("writeAdapterConfig()", () => {
  it("writes what parseAdapterConfig() reads back", () => {
    for (const rankStabilised of [undefined, true] as const) {
      const written = {
        settings: { ...settings, ...(rankStabilised ? { rankStabilised } : {}) },
        baseModel: "Qwen/Qwen2.5-0.5B",
        revision: null,
      };
      expect(parseAdapterConfig(JSON.parse(JSON.stringify(writeAdapterConfig(written))))).toEqual(written);
    }
  });

  it("says what PEFT asks for", () => {
    expect(writeAdapterConfig({ settings, baseModel: "x", revision: "abc" })).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      r: 16,
      lora_alpha: 32,
      target_modules: ["k_proj", "down_proj"],
      base_model_name_or_path: "x",
      revision: "abc",
      bias: "none",
      use_rslora: false,
      lora_dropout: 0,
      fan_in_fan_out: false,
      modules_to_save: null,
    });
  });
});

describe("adapterScale()", () => {
  it("is alpha over the rank, or over its root where stabilised", () => {
    expect(adapterScale(settings)).toBe(2);
    expect(adapterScale({ ...settings, rankStabilised: true })).toBe(8);
    expect(adapterScale(parseAdapterConfig({ ...WRITTEN, r: 4, use_rslora: true }).settings)).toBe(8);
  });
});
