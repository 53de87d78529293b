/** The kernels around the layers: embedding, head, optimiser, decoding, at the sizes of one set. */
import { decodeAttention, decodeAttentionStored } from "../kernels/attention/decode_attention.ts";
import { kvStore, kvStoreStored } from "../kernels/attention/kv_store.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { embeddingBackward } from "../kernels/embedding/embedding_backward.ts";
import { embeddingHalf } from "../kernels/embedding/embedding_half.ts";
import { embeddingPlan } from "../kernels/embedding/embedding_plan.ts";
import { gatherRows } from "../kernels/embedding/gather_rows.ts";
import { scatterRows } from "../kernels/embedding/scatter_rows.ts";
import { headFinish } from "../kernels/head/head_finish.ts";
import { headTile } from "../kernels/head/head_tile.ts";
import { headTileBackward } from "../kernels/head/head_tile_backward.ts";
import { adamw } from "../kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../kernels/optimizer/clip_coefficient.ts";
import { gradNorm, gradNormPartials } from "../kernels/optimizer/grad_norm.ts";
import { decodeAdvance, endTokens } from "../kernels/sampling/decode_advance.ts";
import { sample } from "../kernels/sampling/sample.ts";
import type { HalfForm } from "../kernels/stored.ts";
import { type KernelCase, kernelCase, smallWords } from "./kernel_case.ts";
import type { ShapeSet } from "./shapes.ts";

export function embeddingCases(shape: ShapeSet, forms: readonly HalfForm[]): KernelCase[] {
  const { name: set, rows, width, vocab } = shape;
  const ids = smallWords(rows, vocab);
  const half = Math.ceil(rows / 2);
  const index = Uint32Array.from({ length: half }, (_, m) => 2 * m);
  const plan = embeddingPlan(ids, vocab);
  return [
    kernelCase(embedding, { rows, width, vocab, first: 0 }, { set, contents: { ids } }),
    ...forms.map((form) =>
      kernelCase(
        embeddingHalf(form),
        { rows, width, vocab, first: 0 },
        { set, use: form, contents: { ids }, halves: ["table"] },
      ),
    ),
    kernelCase(embeddingBackward, { vocab, width, rows, accumulate: 1, first: 0 }, { set, contents: plan }),
    kernelCase(gatherRows, { rows: half, width, source_rows: rows }, { set, contents: { index } }),
    kernelCase(scatterRows, { rows: half, width, target_rows: rows }, { set, contents: { index } }),
  ];
}

export function headCases(shape: ShapeSet): KernelCase[] {
  const { name: set, vocab, tile } = shape;
  const rows = Math.ceil(shape.rows / 2);
  const contents = { targets: smallWords(rows, vocab) };
  const dims = { rows, tile_width: tile, tile_start: 0, first: 1, inverse_temperature: 1 };
  return [
    kernelCase(headTile, dims, { set, contents }),
    kernelCase(headFinish, { rows }, { set }),
    kernelCase(headTileBackward, dims, { set, contents }),
  ];
}

export function optimizerCases(shape: ShapeSet): KernelCase[] {
  const { name: set, parameters: count } = shape;
  const norm = Float32Array.of(1, 1);
  const second_moment = new Float32Array(count).fill(1e-4);
  const settings = { learning_rate: 1e-4, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0 };
  return [
    kernelCase(gradNorm, { count, start: 0 }, { set }),
    kernelCase(clipCoefficient, { count: gradNormPartials(count), max_norm: 1 }, { set }),
    kernelCase(
      adamw,
      { count, ...settings, correction1: 0.1, correction2: 0.01 },
      { set, contents: { norm, second_moment } },
    ),
  ];
}

export function decodeCases(shape: ShapeSet, forms: readonly HalfForm[]): KernelCase[] {
  const { name: set, decodeRows: rows, heads, kvHeads, headDim, capacity, vocab } = shape;
  const position = Math.floor(capacity / 2);
  const entries = Uint32Array.from({ length: 3 * rows }, (_, i) =>
    i % 3 === 2 ? position : Math.floor(i / 3),
  );
  const draws = Uint32Array.from({ length: 4 * rows }, (_, i) => (i % 4 < 2 ? Math.floor(i / 4) : 0));
  const sampled = Uint32Array.from({ length: 4 * rows }, (_, i) => (i % 4 === 3 ? 1 : 0));
  const progress = Uint32Array.from({ length: 2 * rows }, (_, i) => (i % 2 === 0 ? 2 ** 31 : 0));
  const cache = { rows, heads, kv_heads: kvHeads, head_dim: headDim, slots: rows, capacity };
  const seen = rows * (position + 1);
  // As many lanes as the generator's decoding takes for these sizes.
  const lanes = { WORKGROUP_SIZE: capacity <= 64 ? Math.max(8, headDim / 4) : 32 };
  const attendDims = { ...cache, source_rows: rows, scale: 1 / Math.sqrt(headDim) };
  const work = (bytesOfNumber: number) => ({
    flops: 4 * heads * headDim * seen,
    bytes: headDim * (4 * 2 * rows * heads + bytesOfNumber * 2 * seen * kvHeads),
  });
  const sampler = sample.with({ WORKGROUP_SIZE: vocab <= 128 ? 16 : vocab <= 4096 ? 64 : 256 });
  const draw = { rows, logit_rows: rows, vocab, seed_low: 1, seed_high: 0, inverse_temperature: 1 };
  return [
    kernelCase(kvStore, { ...cache, entries: rows }, { set, contents: { entries } }),
    kernelCase(decodeAttention.with(lanes), attendDims, { set, contents: { entries }, work: work(4) }),
    ...forms.flatMap((form) => [
      kernelCase(
        kvStoreStored(form),
        { ...cache, entries: rows },
        { set, use: form, contents: { entries }, halves: ["cache_k", "cache_v"] },
      ),
      kernelCase(decodeAttentionStored(form).with(lanes), attendDims, {
        set,
        use: form,
        contents: { entries },
        halves: ["cache_k", "cache_v"],
        work: work(2),
      }),
    ]),
    kernelCase(sampler, { ...draw, top_k: 0, top_p: 1, min_p: 0 }, { set, contents: { draws } }),
    kernelCase(
      sampler,
      { ...draw, top_k: 0, top_p: 0.95, min_p: 0 },
      { set, use: "top-p", contents: { draws } },
    ),
    kernelCase(
      decodeAdvance,
      // So much room that no row ends however often this runs.
      { rows, step: 0, capacity: 2 ** 31, ...endTokens([]) },
      { set, contents: { sampled, entries, draws, progress } },
    ),
  ];
}
