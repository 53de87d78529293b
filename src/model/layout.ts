/**
 * Where each parameter lies. Parameters live in a few flat shards, each within one storage binding; matrices that
 * one linear kernel reads together (query, key and value; gate and up) lie side by side and form a block. Gradients,
 * moments and published versions have the same layout, so that clipping, AdamW and publishing are one dispatch or
 * copy per shard.
 */
import { GpuLimitError } from "../errors.ts";
import type { ModelConfig } from "./config.ts";

/** A tensor under its Hugging Face name. */
export interface TensorPlace {
  name: string;
  shape: number[];
  shard: number;
  /** Elements from the start of the shard. */
  offset: number;
  length: number;
}

/** What one kernel binds: tensors side by side, the first at a multiple of 64 elements. */
export interface Block {
  key: string;
  shard: number;
  offset: number;
  length: number;
}

export interface Shard {
  /** Elements, a multiple of 64. */
  length: number;
  /** The first `decayLength` elements get weight decay (matrices); the rest does not (norms and biases). */
  decayLength: number;
}

export interface ParameterLayout {
  shards: Shard[];
  tensors: TensorPlace[];
  blocks: Map<string, Block>;
  /** Parameters, padding left out. */
  count: number;
}

interface Draft {
  key: string;
  decay: boolean;
  tensors: { name: string; shape: number[] }[];
}

/**
 * Lays out the parameters of `config`.
 * @param maxElements elements (4 bytes) that one storage binding may hold
 * @throws GpuLimitError when a block alone exceeds a binding
 */
export function layoutParameters(config: ModelConfig, maxElements = 2 ** 25): ParameterLayout {
  const drafts = draftBlocks(config);
  const shards: Shard[] = [];
  const tensors: TensorPlace[] = [];
  const blocks = new Map<string, Block>();
  let count = 0;
  const place = (draft: Draft) => {
    const length = draft.tensors.reduce((sum, t) => sum + product(t.shape), 0);
    if (length > maxElements) {
      throw new GpuLimitError(
        "gpu/block-too-large",
        `Cannot place ${draft.key} of ${length} elements in one binding: this GPU allows ${maxElements}`,
        {
          hint: "Choose a smaller model, or a browser that grants larger storage bindings (see `npm run doctor`).",
        },
      );
    }
    if (shards.length === 0 || shards[shards.length - 1].length + length > maxElements)
      shards.push({ length: 0, decayLength: 0 });
    const shard = shards.length - 1;
    let offset = shards[shard].length;
    blocks.set(draft.key, { key: draft.key, shard, offset, length });
    for (const tensor of draft.tensors) {
      const size = product(tensor.shape);
      tensors.push({ ...tensor, shard, offset, length: size });
      offset += size;
      count += size;
    }
    shards[shard].length = Math.ceil(offset / 64) * 64;
    if (draft.decay) shards[shard].decayLength = shards[shard].length;
  };
  // Decayed blocks first, so that each shard is one decayed range followed by one range without decay.
  for (const draft of drafts) if (draft.decay) place(draft);
  for (const draft of drafts) if (!draft.decay) place(draft);
  return { shards, tensors, blocks, count };
}

function draftBlocks(c: ModelConfig): Draft[] {
  const C = c.width;
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const drafts: Draft[] = [
    {
      key: "embedding",
      decay: true,
      tensors: [{ name: "model.embed_tokens.weight", shape: [c.vocabSize, C] }],
    },
  ];
  for (let layer = 0; layer < c.layers; layer++) {
    const prefix = `model.layers.${layer}.`;
    const add = (key: string, decay: boolean, ...entries: [string, number[]][]) =>
      drafts.push({
        key: `${layer}.${key}`,
        decay,
        tensors: entries.map(([name, shape]) => ({ name: prefix + name, shape })),
      });
    add(
      "qkv",
      true,
      ["self_attn.q_proj.weight", [q, C]],
      ["self_attn.k_proj.weight", [kv, C]],
      ["self_attn.v_proj.weight", [kv, C]],
    );
    add("o", true, ["self_attn.o_proj.weight", [C, q]]);
    add("gate_up", true, ["mlp.gate_proj.weight", [c.mlpWidth, C]], ["mlp.up_proj.weight", [c.mlpWidth, C]]);
    add("down", true, ["mlp.down_proj.weight", [C, c.mlpWidth]]);
    add("input_norm", false, ["input_layernorm.weight", [C]]);
    add("mlp_norm", false, ["post_attention_layernorm.weight", [C]]);
    if (c.attentionBias)
      add(
        "qkv_bias",
        false,
        ["self_attn.q_proj.bias", [q]],
        ["self_attn.k_proj.bias", [kv]],
        ["self_attn.v_proj.bias", [kv]],
      );
    if (c.qkNorm) {
      add("q_norm", false, ["self_attn.q_norm.weight", [c.headDim]]);
      add("k_norm", false, ["self_attn.k_norm.weight", [c.headDim]]);
    }
  }
  drafts.push({ key: "final_norm", decay: false, tensors: [{ name: "model.norm.weight", shape: [C] }] });
  if (!c.tiedHead)
    drafts.push({ key: "head", decay: true, tensors: [{ name: "lm_head.weight", shape: [c.vocabSize, C] }] });
  return drafts;
}

/** The shards' contents from named tensors. @throws RangeError when a tensor is missing or has another size. */
export function packTensors(
  layout: ParameterLayout,
  tensors: ReadonlyMap<string, { data: Float32Array }>,
): Float32Array[] {
  const shards = layout.shards.map((shard) => new Float32Array(shard.length));
  for (const place of layout.tensors) {
    const tensor = tensors.get(place.name);
    if (!tensor || tensor.data.length !== place.length) {
      throw new RangeError(
        `Cannot pack ${place.name}: ${tensor ? `${tensor.data.length} elements` : "nothing"} found, ${place.length} needed`,
      );
    }
    shards[place.shard].set(tensor.data, place.offset);
  }
  return shards;
}

/** Named tensors (views, not copies) of packed shards. */
export function unpackTensors(
  layout: ParameterLayout,
  shards: readonly Float32Array[],
): Map<string, { shape: number[]; data: Float32Array }> {
  return new Map(
    layout.tensors.map((t) => [
      t.name,
      { shape: t.shape, data: shards[t.shard].subarray(t.offset, t.offset + t.length) },
    ]),
  );
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
