/**
 * Self-tests of the kernels that read or write f16, in the form that this device runs them in. All numbers are f16
 * already, so that no adapter's way of rounding matters.
 */
import { decodeAttentionStored } from "../kernels/attention/decode_attention.ts";
import { kvStoreStored } from "../kernels/attention/kv_store.ts";
import { embeddingHalf } from "../kernels/embedding/embedding_half.ts";
import { linearBackwardInputVec4Stored } from "../kernels/linear/linear_backward_input_vec4.ts";
import { linearVec4Stored } from "../kernels/linear/linear_vec4.ts";
import { packHalves, smallFloats } from "./kernel_case.ts";
import type { FamilyTest } from "./self_test.ts";

const zeros = (length: number) => new Float32Array(length);
const words = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);
const fill = (length: number, at: (i: number) => number) => Array.from({ length }, (_, i) => at(i));
const sum = (length: number, at: (i: number) => number) =>
  fill(length, at).reduce((total, value) => total + value, 0);

/** Multiples of 1/64 between −2 and 2. */
const exactHalves = (length: number, skip = 0) =>
  smallFloats(length + skip)
    .subarray(skip)
    .map((value) => Math.round(256 * value) / 64);

export const testEmbeddingHalf: FamilyTest = async (run, form) => {
  const [vocab, width] = [5, 12];
  const ids = Uint32Array.of(4, 0, 2, 2, 1, 4, 2);
  const table = exactHalves(vocab * width);
  const length = ids.length * width;
  const bindings = { table: packHalves(table), ids, y: zeros(length) };
  const dims = { rows: ids.length, width, vocab, first: 0 };
  return [
    {
      name: "embedding_half",
      got: await run(embeddingHalf(form), bindings, dims, "y"),
      want: fill(length, (i) => table[ids[Math.floor(i / width)] * width + (i % width)]),
      tolerance: 0,
    },
  ];
};

export const testLinearHalf: FamilyTest = async (run, form) => {
  const [rows, outputs, inputs] = [9, 12, 20];
  const x = smallFloats(rows * inputs);
  const weight = exactHalves(outputs * inputs, 7);
  const w = packHalves(weight);
  const bias = smallFloats(outputs);
  const dy = smallFloats(rows * outputs + 3).subarray(3);
  const dims = { rows, outputs, inputs, has_bias: 1, accumulate: 0, y_stride: outputs, y_start: 0 };
  return [
    {
      name: "linear_vec4 in f16",
      got: await run(linearVec4Stored(form), { x, w, bias, y: zeros(rows * outputs) }, dims, "y"),
      want: fill(rows * outputs, (i) => {
        const [n, o] = [Math.floor(i / outputs), i % outputs];
        return bias[o] + sum(inputs, (k) => x[n * inputs + k] * weight[o * inputs + k]);
      }),
      tolerance: 1e-5,
    },
    {
      name: "linear_backward_input_vec4 in f16",
      got: await run(linearBackwardInputVec4Stored(form), { dy, w, dx: zeros(rows * inputs) }, dims, "dx"),
      want: fill(rows * inputs, (i) => {
        const [n, k] = [Math.floor(i / inputs), i % inputs];
        return sum(outputs, (o) => dy[n * outputs + o] * weight[o * inputs + k]);
      }),
      tolerance: 1e-5,
    },
  ];
};

export const testAttentionHalf: FamilyTest = async (run, form) => {
  // One query, key and value head; three tokens at the start of a cache for four.
  const [rows, D, capacity] = [3, 8, 4];
  const qkv = exactHalves(rows * 3 * D);
  const scale = 1 / Math.sqrt(D);
  const at = (n: number, head: number, d: number) => qkv[(n * 3 + head) * D + d];
  const entries = Uint32Array.from([0, 1, 2].flatMap((row) => [row, 0, row]));
  const cached = { heads: 1, kv_heads: 1, head_dim: D, slots: 1, capacity };
  const caches = { cache_k: zeros((capacity * D) / 2), cache_v: zeros((capacity * D) / 2) };
  const store = { ...cached, entries: rows, rows };
  const cache_k = await run(kvStoreStored(form), { qkv, entries, ...caches }, store, "cache_k");
  const cache_v = await run(kvStoreStored(form), { qkv, entries, ...caches }, store, "cache_v");
  const out = await run(
    decodeAttentionStored(form),
    { qkv, entries: entries.slice(6), cache_k, cache_v, out: zeros(D) },
    { ...cached, rows: 1, source_rows: rows, scale },
    "out",
  );
  const stored = (head: number) =>
    packHalves(
      Float32Array.from({ length: capacity * D }, (_, i) =>
        i < rows * D ? at(Math.floor(i / D), head, i % D) : 0,
      ),
    );
  const weights = fill(rows, (j) => Math.exp(scale * sum(D, (d) => at(2, 0, d) * at(j, 1, d))));
  const total = sum(rows, (j) => weights[j]);
  return [
    { name: "kv_store in f16, keys", got: words(cache_k), want: stored(1), tolerance: 0 },
    { name: "kv_store in f16, values", got: words(cache_v), want: stored(2), tolerance: 0 },
    {
      name: "decode_attention in f16",
      got: out,
      want: fill(D, (d) => sum(rows, (j) => (weights[j] / total) * at(j, 2, d))),
      tolerance: 1e-5,
    },
  ];
};
