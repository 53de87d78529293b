/**
 * A model's shape, read from a Hugging Face `config.json`. Loaders, parameters and kernels call it; it knows neither
 * files nor GPUs. What this project cannot compute exactly is refused here, before anything is allocated.
 */
import { DataError } from "../errors.ts";

/** A Mistral whose sliding window is off computes what a Llama does. */
export type ModelType = "llama" | "mistral" | "qwen2" | "qwen3";

/** Llama 3.1's stretching of the low rotary frequencies. */
export interface RopeScaling {
  kind: "llama3";
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  /** Tokens the model was first trained on. */
  originalMaxPositions: number;
}

export interface ModelConfig {
  modelType: ModelType;
  /** V */
  vocabSize: number;
  /** C */
  width: number;
  /** F */
  mlpWidth: number;
  /** L */
  layers: number;
  /** H */
  heads: number;
  /** K; divides H */
  kvHeads: number;
  /** D; even */
  headDim: number;
  ropeTheta: number;
  ropeScaling?: RopeScaling;
  normEps: number;
  /** The head is the embedding table: no `lm_head.weight`. */
  tiedHead: boolean;
  /** Biases on the query, key and value projections (never on the output projection). */
  attentionBias: boolean;
  /** RMS norms of width D on queries and keys before the rotary embedding. */
  qkNorm: boolean;
  maxPositions: number;
  eosIds: number[];
  bosId: number | null;
  padId: number | null;
  /** The whole `config.json`, to be written back into checkpoints. */
  raw: Record<string, unknown>;
}

export interface TensorShape {
  name: string;
  /** Row-major; a linear layer's weight is (out, in). */
  shape: number[];
}

const modelTypes: readonly string[] = ["llama", "mistral", "qwen2", "qwen3"];
/** Far beyond any decoder; guards the multiplications that follow. */
const largestSize = 2 ** 31 - 1;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bad(what: string, hint = "Compare config.json with that of the model it was made from"): DataError {
  return new DataError("model/bad-config", `Cannot use the model's config.json: ${what}`, { hint });
}

function unsupported(what: string, hint: string): DataError {
  return new DataError("model/unsupported", `Cannot run this model: ${what}`, { hint });
}

/** A whole number from 1 up; `fallback` where the key is absent or null. */
function size(raw: Record<string, unknown>, key: string, fallback?: number): number {
  const value = raw[key] ?? fallback;
  if (value === undefined) throw bad(`${key} is missing, a whole number is needed`);
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > largestSize) {
    throw bad(`${key} is ${JSON.stringify(value)}, a whole number of at least 1 is needed`);
  }
  return value;
}

function positive(raw: Record<string, unknown>, key: string, fallback?: number): number {
  const value = raw[key] ?? fallback;
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) {
    throw bad(`${key} is ${JSON.stringify(value) ?? "missing"}, a number above 0 is needed`);
  }
  return value;
}

function flag(raw: Record<string, unknown>, key: string): boolean {
  const value = raw[key] ?? false;
  if (typeof value !== "boolean") throw bad(`${key} is ${JSON.stringify(value)}, true or false is needed`);
  return value;
}

function tokenIds(value: unknown, key: string, vocabSize: number): number[] {
  if (value === undefined || value === null) return [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  for (const id of ids) {
    if (typeof id !== "number" || !Number.isInteger(id) || id >= vocabSize) {
      throw bad(`${key} is ${JSON.stringify(value)}, ids under the vocabulary's ${vocabSize} are needed`);
    }
  }
  // Early Llama configs write -1 for "none".
  return (ids as number[]).filter((id) => id >= 0);
}

/**
 * Reads the ids of the tokens that end a completion from a `config.json` or `generation_config.json`.
 * @throws DataError `model/bad-config` for an id outside the vocabulary
 */
export function parseEosIds(raw: Record<string, unknown>, vocabSize: number): number[] {
  return tokenIds(raw.eos_token_id, "eos_token_id", vocabSize);
}

function parseModelType(raw: Record<string, unknown>): ModelType {
  const architectures = Array.isArray(raw.architectures) ? raw.architectures.map(String) : [];
  const fromArchitecture = /^(Llama|Mistral|Qwen2|Qwen3)ForCausalLM$/
    .exec(architectures[0] ?? "")?.[1]
    ?.toLowerCase();
  const found = raw.model_type ?? fromArchitecture;
  const disagree = architectures.length > 0 && fromArchitecture !== found;
  if (typeof found !== "string" || !modelTypes.includes(found) || disagree) {
    const shown = JSON.stringify(architectures[0] ?? found ?? null);
    throw new DataError(
      "model/unknown-architecture",
      `Cannot run a model of architecture ${shown}: Llama, Mistral, Qwen2 or Qwen3 for causal language modelling is needed`,
      { hint: "Choose a dense Llama, Mistral, Qwen2, Qwen2.5 or Qwen3 checkpoint" },
    );
  }
  return found as ModelType;
}

function parseRope(raw: Record<string, unknown>): { ropeTheta: number; ropeScaling?: RopeScaling } {
  // Newer files keep all of it in rope_parameters; older ones have rope_theta and rope_scaling side by side.
  const parameters = raw.rope_parameters ?? raw.rope_scaling ?? {};
  if (!isRecord(parameters)) throw bad(`the rotary settings are ${JSON.stringify(parameters)}`);
  const ropeTheta = positive({ rope_theta: parameters.rope_theta ?? raw.rope_theta }, "rope_theta", 10000);
  const rotated = parameters.partial_rotary_factor ?? raw.partial_rotary_factor ?? 1;
  if (rotated !== 1) {
    throw unsupported(
      `it rotates only ${String(rotated)} of each head`,
      "Choose a model that rotates whole heads",
    );
  }
  const kind = parameters.rope_type ?? parameters.type ?? "default";
  if (kind === "default") return { ropeTheta };
  if (kind !== "llama3") {
    throw unsupported(
      `its rotary embedding is of type ${JSON.stringify(kind)}, "default" or "llama3" is needed`,
      "Remove the scaling from config.json to use the model at its original length",
    );
  }
  const ropeScaling: RopeScaling = {
    kind,
    factor: positive(parameters, "factor"),
    lowFreqFactor: positive(parameters, "low_freq_factor"),
    highFreqFactor: positive(parameters, "high_freq_factor"),
    originalMaxPositions: size(parameters, "original_max_position_embeddings"),
  };
  if (ropeScaling.factor < 1) throw bad(`rope factor is ${ropeScaling.factor}, at least 1 is needed`);
  if (ropeScaling.highFreqFactor <= ropeScaling.lowFreqFactor) {
    throw bad("high_freq_factor is not above low_freq_factor");
  }
  return { ropeTheta, ropeScaling };
}

function refuseVariants(raw: Record<string, unknown>, modelType: ModelType, maxPositions: number): void {
  const activation = raw.hidden_act ?? "silu";
  if (activation !== "silu" && activation !== "swish") {
    throw unsupported(
      `its activation is ${JSON.stringify(activation)}, "silu" is needed`,
      "Choose a model with SwiGLU layers",
    );
  }
  if (flag(raw, "mlp_bias")) {
    throw unsupported("its MLP layers have biases", "Choose a model with mlp_bias false");
  }
  if (flag(raw, "attention_bias") && modelType !== "qwen2") {
    throw unsupported(
      `${modelType} with attention_bias has a bias on the output projection`,
      "Choose a model with attention_bias false, or a Qwen2 (biases on q, k and v only)",
    );
  }
  if (raw.quantization_config !== undefined && raw.quantization_config !== null) {
    throw unsupported("its weights are quantised", "Choose the checkpoint in bf16, f16 or f32");
  }
  const layerTypes = Array.isArray(raw.layer_types) ? raw.layer_types : [];
  // Mistral's window is on unless it is null, and this wide where nothing is said.
  const window = modelType === "mistral" ? (raw.sliding_window ?? missingWindow(raw)) : raw.sliding_window;
  const used = modelType === "mistral" || flag(raw, "use_sliding_window");
  const slides = used && typeof window === "number" && window < maxPositions;
  if (slides || layerTypes.some((kind) => kind !== "full_attention")) {
    throw unsupported(
      "some of its layers attend within a sliding window",
      "Choose a model with full attention",
    );
  }
}

/** What `transformers` takes for a Mistral without the key. */
function missingWindow(raw: Record<string, unknown>): number | null {
  return "sliding_window" in raw ? null : 4096;
}

/**
 * Reads a Hugging Face `config.json`, in its older and newer spellings.
 * @throws DataError `model/unknown-architecture`, `model/unsupported` or `model/bad-config`
 */
export function parseModelConfig(json: unknown): ModelConfig {
  if (!isRecord(json)) throw bad("it is not a JSON object");
  const modelType = parseModelType(json);
  const vocabSize = size(json, "vocab_size");
  const width = size(json, "hidden_size");
  const heads = size(json, "num_attention_heads");
  const kvHeads = size(json, "num_key_value_heads", heads);
  const maxPositions = size(json, "max_position_embeddings", 2048);
  refuseVariants(json, modelType, maxPositions);
  if (json.head_dim == null && width % heads !== 0) {
    throw bad(`hidden_size ${width} is no multiple of the ${heads} heads and head_dim is missing`);
  }
  const headDim = size(json, "head_dim", width / heads);
  if (headDim % 2 !== 0) throw bad(`head_dim is ${headDim}, an even number is needed to rotate pairs`);
  if (heads % kvHeads !== 0) {
    throw bad(`num_attention_heads ${heads} is no multiple of num_key_value_heads ${kvHeads}`);
  }
  return {
    modelType,
    vocabSize,
    width,
    mlpWidth: size(json, "intermediate_size"),
    layers: size(json, "num_hidden_layers"),
    heads,
    kvHeads,
    headDim,
    ...parseRope(json),
    normEps: positive(json, "rms_norm_eps", 1e-6),
    tiedHead: flag(json, "tie_word_embeddings"),
    attentionBias: modelType === "qwen2",
    qkNorm: modelType === "qwen3",
    maxPositions,
    eosIds: parseEosIds(json, vocabSize),
    bosId: tokenIds(json.bos_token_id, "bos_token_id", vocabSize)[0] ?? null,
    padId: tokenIds(json.pad_token_id, "pad_token_id", vocabSize)[0] ?? null,
    raw: json,
  };
}

/** Lists every tensor a checkpoint of this shape holds, by its Hugging Face name, in the order of computation. */
export function tensorNames(config: ModelConfig): TensorShape[] {
  const { vocabSize, width, mlpWidth, headDim } = config;
  const queryWidth = config.heads * headDim;
  const kvWidth = config.kvHeads * headDim;
  const all: TensorShape[] = [{ name: "model.embed_tokens.weight", shape: [vocabSize, width] }];
  for (let layer = 0; layer < config.layers; layer += 1) {
    const add = (name: string, ...shape: number[]) => {
      all.push({ name: `model.layers.${layer}.${name}`, shape });
    };
    add("input_layernorm.weight", width);
    for (const [projection, rows] of [
      ["q_proj", queryWidth],
      ["k_proj", kvWidth],
      ["v_proj", kvWidth],
    ] as const) {
      add(`self_attn.${projection}.weight`, rows, width);
      if (config.attentionBias) add(`self_attn.${projection}.bias`, rows);
    }
    if (config.qkNorm) {
      add("self_attn.q_norm.weight", headDim);
      add("self_attn.k_norm.weight", headDim);
    }
    add("self_attn.o_proj.weight", width, queryWidth);
    add("post_attention_layernorm.weight", width);
    add("mlp.gate_proj.weight", mlpWidth, width);
    add("mlp.up_proj.weight", mlpWidth, width);
    add("mlp.down_proj.weight", width, mlpWidth);
  }
  all.push({ name: "model.norm.weight", shape: [width] });
  if (!config.tiedHead) all.push({ name: "lm_head.weight", shape: [vocabSize, width] });
  return all;
}

/** Counts the model's parameters; a tied head counts once. */
export function countParameters(config: ModelConfig): number {
  return tensorNames(config).reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
}
