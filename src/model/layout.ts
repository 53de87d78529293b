/**
 * Where each parameter lies. Parameters live in a few flat shards, each within one storage binding; matrices that
 * one linear kernel reads together (query, key and value; gate and up) lie side by side and form a block. Gradients,
 * moments and published versions have the same layout, so that clipping, AdamW and publishing are one dispatch or
 * copy per shard. A vocabulary's table that exceeds a binding is cut into parts between rows.
 */
import { GpuLimitError } from "../errors.ts";
import type { ModelConfig } from "./config.ts";

/** Consecutive elements of a tensor in one shard. */
export interface Span {
  shard: number;
  /** Elements from the start of the shard. */
  offset: number;
  /** Elements from the start of the tensor. */
  start: number;
  length: number;
}

/** A tensor under its Hugging Face name; one span unless a border between two shards cuts it. */
export interface TensorPlace {
  name: string;
  shape: number[];
  length: number;
  spans: Span[];
}

/** Rows of a block that one kernel can bind. */
export interface Part {
  shard: number;
  /** Elements from the start of the shard: a multiple of `ALIGNMENT`. */
  offset: number;
  length: number;
  /** First row of the block in it, and how many. */
  start: number;
  rows: number;
}

/** Tensors of equal width that kernels read together, row below row; several parts where one binding is too small. */
export interface Block {
  key: string;
  /** Elements a row; 1 for vectors. */
  width: number;
  parts: Part[];
}

export interface Shard {
  /** Elements, a multiple of `ALIGNMENT`. */
  length: number;
  /** Matrices, which get weight decay and may be kept in f16; the others hold norms and biases. */
  matrices: boolean;
}

export interface ParameterLayout {
  shards: Shard[];
  tensors: TensorPlace[];
  blocks: Map<string, Block>;
  /** Parameters, padding left out. */
  count: number;
}

/** Tensors of one block. */
export interface BlockDraft {
  key: string;
  matrices: boolean;
  tensors: { name: string; shape: number[] }[];
  /** May be cut between rows where it exceeds a binding: its readers go part by part. */
  divisible?: boolean;
}

/** Elements that parts start at a multiple of: 256 bytes, which bindings must start at, even in f16. */
export const ALIGNMENT = 128;

/** Elements in a binding that every adapter grants, in f32. */
const GUARANTEED_ELEMENTS = 2 ** 25;

/**
 * Lays out the parameters of `config`.
 * @param maxElements elements (4 bytes) that one storage binding may hold
 * @throws GpuLimitError when a block that cannot be cut exceeds a binding
 */
export function layoutParameters(config: ModelConfig, maxElements = GUARANTEED_ELEMENTS): ParameterLayout {
  return layoutBlocks(draftBlocks(config), maxElements);
}

/** Places blocks in shards, matrices apart from vectors. @throws GpuLimitError */
export function layoutBlocks(
  drafts: readonly BlockDraft[],
  maxElements = GUARANTEED_ELEMENTS,
): ParameterLayout {
  const shards: Shard[] = [];
  const tensors: TensorPlace[] = [];
  const blocks = new Map<string, Block>();
  /** A place for `length` elements, in the newest shard where they fit. */
  const reserve = (length: number, matrices: boolean) => {
    const newest = shards.at(-1);
    if (newest?.matrices !== matrices || newest.length + length > maxElements)
      shards.push({ length: 0, matrices });
    const shard = shards.length - 1;
    const offset = shards[shard].length;
    shards[shard].length = Math.ceil((offset + length) / ALIGNMENT) * ALIGNMENT;
    return { shard, offset };
  };
  for (const matrices of [true, false]) {
    for (const draft of drafts) {
      if (draft.matrices !== matrices) continue;
      const width = matrices ? (draft.tensors[0].shape[1] ?? 1) : 1;
      const rows = draft.tensors.reduce((sum, { shape }) => sum + product(shape), 0) / width;
      const parts: Part[] = [];
      for (const { start, rows: count } of cutRows(draft, rows, width, maxElements)) {
        const length = count * width;
        parts.push({ ...reserve(length, matrices), length, start, rows: count });
      }
      blocks.set(draft.key, { key: draft.key, width, parts });
      tensors.push(...placeTensors(draft, parts, width));
    }
  }
  return { shards, tensors, blocks, count: tensors.reduce((sum, { length }) => sum + length, 0) };
}

/** The rows of a block by part: one part where it fits, else parts of whole multiples of 64 rows. */
function cutRows(
  draft: BlockDraft,
  rows: number,
  width: number,
  maxElements: number,
): { start: number; rows: number }[] {
  if (rows * width <= maxElements) return [{ start: 0, rows }];
  const fitting = Math.floor(maxElements / width / 64) * 64;
  if (!draft.divisible || fitting === 0) {
    throw new GpuLimitError(
      "gpu/block-too-large",
      `Cannot place ${draft.key} of ${rows * width} elements in one binding: every GPU allows ${maxElements}`,
      { hint: "Choose a smaller model: only the tables of the vocabulary are cut over several bindings." },
    );
  }
  return Array.from({ length: Math.ceil(rows / fitting) }, (_, i) => ({
    start: i * fitting,
    rows: Math.min(fitting, rows - i * fitting),
  }));
}

function placeTensors(draft: BlockDraft, parts: readonly Part[], width: number): TensorPlace[] {
  let first = 0;
  return draft.tensors.map(({ name, shape }) => {
    const length = product(shape);
    const begin = first;
    first += length;
    const spans: Span[] = [];
    for (const part of parts) {
      const partBegin = part.start * width;
      const from = Math.max(begin, partBegin);
      const to = Math.min(begin + length, partBegin + part.length);
      if (from >= to) continue;
      const offset = part.offset + from - partBegin;
      spans.push({ shard: part.shard, offset, start: from - begin, length: to - from });
    }
    return { name, shape, length, spans };
  });
}

function draftBlocks(c: ModelConfig): BlockDraft[] {
  const C = c.width;
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const drafts: BlockDraft[] = [
    {
      key: "embedding",
      matrices: true,
      divisible: true,
      tensors: [{ name: "model.embed_tokens.weight", shape: [c.vocabSize, C] }],
    },
  ];
  for (let layer = 0; layer < c.layers; layer++) {
    const prefix = `model.layers.${layer}.`;
    const add = (key: string, matrices: boolean, ...entries: [string, number[]][]) =>
      drafts.push({
        key: `${layer}.${key}`,
        matrices,
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
  drafts.push({ key: "final_norm", matrices: false, tensors: [{ name: "model.norm.weight", shape: [C] }] });
  if (!c.tiedHead)
    drafts.push({
      key: "head",
      matrices: true,
      divisible: true,
      tensors: [{ name: "lm_head.weight", shape: [c.vocabSize, C] }],
    });
  return drafts;
}

/** The shards' contents from named tensors. @throws RangeError when a tensor is missing or has another size. */
export function packTensors(
  layout: ParameterLayout,
  tensors: ReadonlyMap<string, { data: Float32Array }>,
): Float32Array<ArrayBuffer>[] {
  const shards = layout.shards.map((shard) => new Float32Array(shard.length));
  for (const place of layout.tensors) {
    const tensor = tensors.get(place.name);
    if (!tensor || tensor.data.length !== place.length) {
      throw new RangeError(
        `Cannot pack ${place.name}: ${tensor ? `${tensor.data.length} elements` : "nothing"} found, ${place.length} needed`,
      );
    }
    for (const { shard, offset, start, length } of place.spans)
      shards[shard].set(tensor.data.subarray(start, start + length), offset);
  }
  return shards;
}

/** Named tensors of packed shards: views, copies only of those that lie in several shards. */
export function unpackTensors(
  layout: ParameterLayout,
  shards: readonly Float32Array[],
): Map<string, { shape: number[]; data: Float32Array }> {
  return new Map(
    layout.tensors.map(({ name, shape, length, spans }) => {
      const pieces = spans.map((span) => shards[span.shard].subarray(span.offset, span.offset + span.length));
      if (pieces.length === 1) return [name, { shape, data: pieces[0] }];
      const data = new Float32Array(length);
      for (const [i, piece] of pieces.entries()) data.set(piece, spans[i].start);
      return [name, { shape, data }];
    }),
  );
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
