/**
 * What low-rank adapters (LoRA, arXiv:2106.09685) are: their settings, and PEFT's `adapter_config.json` read and written.
 * A setting that would change what an adapter computes, and that this project does not compute, is refused by name.
 */
import { DataError } from "../../errors.ts";

/** The linear layers of a decoder layer by their last names, in the order in which fused blocks hold them. */
export const ADAPTER_MODULES = [
  "q_proj",
  "k_proj",
  "v_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "down_proj",
] as const;

export type AdapterModule = (typeof ADAPTER_MODULES)[number];

/** What holds each module in a layer. */
export const MODULE_PARENTS: Record<AdapterModule, string> = {
  q_proj: "self_attn",
  k_proj: "self_attn",
  v_proj: "self_attn",
  o_proj: "self_attn",
  gate_proj: "mlp",
  up_proj: "mlp",
  down_proj: "mlp",
};

export interface AdapterSettings {
  /** R, at least 1. */
  rank: number;
  alpha: number;
  /** Modules that have adapters, in every layer. */
  targets: readonly AdapterModule[];
  /** Scale alpha / √R instead of alpha / R (arXiv:2312.03732). */
  rankStabilised?: boolean;
}

/** What an `adapter_config.json` says. */
export interface AdapterConfig {
  settings: AdapterSettings;
  /** The model that the adapters were trained on, by name or path. */
  baseModel: string | null;
  /** Its revision. */
  revision: string | null;
}

/** What B·A is multiplied by. */
export function adapterScale({ rank, alpha, rankStabilised }: AdapterSettings): number {
  return alpha / (rankStabilised ? Math.sqrt(rank) : rank);
}

/** Keys that are read below, or that say nothing about what finished adapters compute. */
const understood = new Set([
  ...[
    "peft_type",
    "task_type",
    "r",
    "lora_alpha",
    "target_modules",
    "bias",
    "use_rslora",
    "init_lora_weights",
  ],
  ...[
    "base_model_name_or_path",
    "revision",
    "peft_version",
    "inference_mode",
    "auto_mapping",
    "runtime_config",
  ],
  // Of training, of starting values, of Megatron's layers; of options that are off.
  ...["lora_dropout", "loftq_config", "eva_config", "corda_config", "lora_ga_config"],
  ...["megatron_config", "megatron_core", "qalora_group_size", "layers_pattern"],
]);

/** Starting values that leave the model's own weights alone; PiSSA, OLoRA, CorDA and LoftQ change them. */
const harmlessStarts: readonly unknown[] = [true, false, "gaussian", "eva", "orthogonal"];

function bad(what: string): DataError {
  return new DataError("adapter/bad-config", `Cannot use the adapter's adapter_config.json: ${what}`, {
    hint: "Compare the file with one that PEFT wrote",
  });
}

function unsupported(what: string, hint: string): DataError {
  return new DataError("adapter/unsupported", `Cannot use this adapter: ${what}`, { hint });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null, false, or empty: an option that is not used. */
function isOff(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function textOrNull(raw: Record<string, unknown>, key: string): string | null {
  const value = raw[key] ?? null;
  if (value !== null && typeof value !== "string")
    throw bad(`${key} is ${JSON.stringify(value)}, text or null is needed`);
  return value;
}

/** The module that an entry of target_modules names: `q_proj` or `self_attn.q_proj`, as PEFT matches endings. */
function moduleOf(entry: unknown): AdapterModule {
  const module = ADAPTER_MODULES.find(
    (name) => entry === name || entry === `${MODULE_PARENTS[name]}.${name}`,
  );
  if (module) return module;
  throw unsupported(
    `it targets ${JSON.stringify(entry)}, ${ADAPTER_MODULES.join(", ")} are understood`,
    "Train adapters of these modules alone, in all layers; or merge this adapter into its model with PEFT",
  );
}

function parseTargets(value: unknown): AdapterModule[] {
  if (value === "all-linear") return [...ADAPTER_MODULES];
  if (typeof value === "string") {
    throw unsupported(
      `its target_modules is the regular expression ${JSON.stringify(value)}, a list of names or "all-linear" is needed`,
      "List the names of the modules that it matches",
    );
  }
  if (!Array.isArray(value) || value.length === 0) {
    throw bad(
      `target_modules is ${JSON.stringify(value ?? null)}, a list of names or "all-linear" is needed`,
    );
  }
  const named = new Set(value.map(moduleOf));
  return ADAPTER_MODULES.filter((module) => named.has(module));
}

function refuseVariants(raw: Record<string, unknown>): void {
  const toMerge = "Merge this adapter into its model with PEFT, or train one without this setting";
  if (raw.peft_type !== "LORA") {
    throw unsupported(
      `its peft_type is ${JSON.stringify(raw.peft_type ?? null)}, "LORA" is needed`,
      "Choose a LoRA adapter",
    );
  }
  const task = raw.task_type ?? "CAUSAL_LM";
  if (task !== "CAUSAL_LM")
    throw unsupported(
      `its task_type is ${JSON.stringify(task)}, "CAUSAL_LM" is needed`,
      "Choose an adapter of a language model",
    );
  if ((raw.bias ?? "none") !== "none")
    throw unsupported(`its bias is ${JSON.stringify(raw.bias)}, "none" is needed`, toMerge);
  const start = raw.init_lora_weights ?? true;
  if (!harmlessStarts.includes(start)) {
    throw unsupported(
      `its init_lora_weights is ${JSON.stringify(start)}, which goes with a model whose own weights were changed`,
      "Save it with PEFT's path_initial_model_for_weight_conversion, which turns it into a plain LoRA",
    );
  }
  for (const [key, value] of Object.entries(raw)) {
    if (!understood.has(key) && !isOff(value))
      throw unsupported(`it sets ${key} to ${JSON.stringify(value)}, which is not understood`, toMerge);
  }
}

/**
 * Reads PEFT's `adapter_config.json`.
 * @throws DataError `adapter/bad-config`, or `adapter/unsupported` naming the setting
 */
export function parseAdapterConfig(json: unknown): AdapterConfig {
  if (!isRecord(json)) throw bad("it is not a JSON object");
  refuseVariants(json);
  const { r: rank, lora_alpha: alpha, use_rslora: rankStabilised = false } = json;
  if (typeof rank !== "number" || !Number.isInteger(rank) || rank < 1)
    throw bad(`r is ${JSON.stringify(rank ?? null)}, a whole number of at least 1 is needed`);
  if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha <= 0)
    throw bad(`lora_alpha is ${JSON.stringify(alpha ?? null)}, a number above 0 is needed`);
  if (typeof rankStabilised !== "boolean")
    throw bad(`use_rslora is ${JSON.stringify(rankStabilised)}, true or false is needed`);
  const targets = parseTargets(json.target_modules);
  return {
    settings: { rank, alpha, targets, ...(rankStabilised ? { rankStabilised } : {}) },
    baseModel: textOrNull(json, "base_model_name_or_path"),
    revision: textOrNull(json, "revision"),
  };
}

/** An `adapter_config.json`, with only such keys as early versions of PEFT know too. */
export function writeAdapterConfig({
  settings,
  baseModel,
  revision,
}: AdapterConfig): Record<string, unknown> {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: baseModel,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: settings.alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: "LORA",
    r: settings.rank,
    rank_pattern: {},
    revision,
    target_modules: ADAPTER_MODULES.filter((module) => settings.targets.includes(module)),
    task_type: "CAUSAL_LM",
    use_rslora: settings.rankStabilised ?? false,
  };
}
