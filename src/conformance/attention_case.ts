/** Attention against its vectors: packed sequences forward and backward, and the same rows decoded over a cache. */
import { DataError } from "../errors.ts";
import { attention } from "../kernels/attention/attention.ts";
import { attentionBackwardKeyValue } from "../kernels/attention/attention_backward_key_value.ts";
import { attentionBackwardQuery } from "../kernels/attention/attention_backward_query.ts";
import { attentionDelta } from "../kernels/attention/attention_delta.ts";
import { decodeAttention } from "../kernels/attention/decode_attention.ts";
import { kvStore } from "../kernels/attention/kv_store.ts";
import { type Check, largest } from "./compare.ts";
import type { KernelRun } from "./kernel_run.ts";
import { gradientCheck } from "./tolerances.ts";
import type { Vectors } from "./vectors.ts";

interface Shape {
  rows: number;
  heads: number;
  kv_heads: number;
  head_dim: number;
}

/** Softmax-weighted means of values: errors are relative to the largest of them. */
const SOFTMAX = 1e-5;

export async function attentionChecks(run: KernelRun, vectors: Vectors): Promise<Check[]> {
  const [rows, heads, head_dim] = vectors.shape("q", 3);
  const [, kv_heads] = vectors.shape("k", 3);
  const shape = { rows, heads, kv_heads, head_dim };
  const lengths = sequenceLengths(vectors, rows);
  const forward = attention(head_dim);
  const queryBackward = attentionBackwardQuery(head_dim);
  const keyValueBackward = attentionBackwardKeyValue(head_dim);
  // One lane for every four numbers of a head, at least.
  const decode = head_dim > 128 ? decodeAttention.with({ WORKGROUP_SIZE: 64 }) : decodeAttention;
  await run.gpu.compile([forward, attentionDelta, queryBackward, keyValueBackward, kvStore, decode]);

  const qkv = run.put("qkv", fuseHeads(shape, vectors.floats("q"), vectors.floats("k"), vectors.floats("v")));
  const dout = run.put("dout", vectors.floats("grad_out"));
  const segments = run.put("segments", rowSegments(lengths, rows));
  const out = run.blank("out", rows * heads * head_dim);
  const [lse, delta] = [run.blank("lse", rows * heads), run.blank("delta", rows * heads)];
  const dqkv = run.blank("dqkv", rows * (heads + 2 * kv_heads) * head_dim);
  const dims = { ...shape, scale: 1 / Math.sqrt(head_dim) };
  forward.encode(run.recorder, { qkv, segments, out, lse }, dims);
  attentionDelta.encode(run.recorder, { dout, out, delta }, { rows, heads, head_dim });
  queryBackward.encode(run.recorder, { qkv, segments, dout, lse, delta, dqkv }, dims);
  keyValueBackward.encode(run.recorder, { qkv, segments, dout, lse, delta, dqkv }, dims);

  // Decoding: every row is a query of its own over the cached rows up to it.
  const [slots, capacity] = [lengths.length, Math.max(...lengths)];
  const entries = run.put("entries", cacheEntries(lengths));
  const cacheLength = slots * kv_heads * capacity * head_dim;
  const [cache_k, cache_v] = [run.blank("cached keys", cacheLength), run.blank("cached values", cacheLength)];
  const decoded = run.blank("decoded", rows * heads * head_dim);
  const cached = { ...shape, slots, capacity };
  kvStore.encode(run.recorder, { qkv, entries, cache_k, cache_v }, { ...cached, entries: rows });
  decode.encode(
    run.recorder,
    { qkv, entries, cache_k, cache_v, out: decoded },
    { ...cached, source_rows: rows, scale: dims.scale },
  );

  const [gotOut, gotDecoded, gotGrads] = await run.read(out, decoded, dqkv);
  const want = vectors.exact("out");
  const scale = largest(vectors.floats("v"));
  const [gotQ, gotK, gotV] = splitHeads(shape, gotGrads);
  const upstream = largest(vectors.floats("grad_out"));
  const [q, k, v] = ["q", "k", "v"].map((name) => largest(vectors.floats(name)));
  return [
    { name: "out", got: gotOut, want, scale, tolerance: SOFTMAX },
    { name: "out (decoded over a cache)", got: gotDecoded, want, scale, tolerance: SOFTMAX },
    gradientCheck(vectors, "grad_q", gotQ, upstream * v * k),
    gradientCheck(vectors, "grad_k", gotK, upstream * v * q),
    gradientCheck(vectors, "grad_v", gotV, upstream),
  ];
}

/** @throws DataError where the metadata asks for what the kernels do not do, or lengths and rows disagree */
function sequenceLengths({ metadata }: Vectors, rows: number): number[] {
  const bad = (what: string) =>
    new DataError("conformance/bad-vectors", `Cannot run attention on these vectors: ${what}`);
  if (metadata.causal !== "true") throw bad("the kernels are causal, the vectors are not");
  const lengths: unknown = JSON.parse(metadata.lengths ?? "null");
  const isLength = (length: unknown) => Number.isInteger(length) && (length as number) >= 1;
  if (!Array.isArray(lengths) || !lengths.every(isLength)) throw bad("their metadata has no lengths");
  const total = (lengths as number[]).reduce((sum, length) => sum + length, 0);
  if (total !== rows) throw bad(`their lengths add up to ${total}, there are ${rows} rows`);
  return lengths as number[];
}

/** (N, H+2K, D) of queries (N, H, D), keys and values (N, K, D). */
function fuseHeads({ rows, heads, kv_heads, head_dim }: Shape, ...parts: Float32Array[]): Float32Array {
  const fused = new Float32Array(rows * (heads + 2 * kv_heads) * head_dim);
  let at = 0;
  for (let n = 0; n < rows; n++) {
    parts.forEach((part, i) => {
      const width = (i === 0 ? heads : kv_heads) * head_dim;
      fused.set(part.subarray(n * width, (n + 1) * width), at);
      at += width;
    });
  }
  return fused;
}

/** The parts of `fuseHeads`. */
function splitHeads({ rows, heads, kv_heads, head_dim }: Shape, fused: Float32Array): Float32Array[] {
  const widths = [heads, kv_heads, kv_heads].map((count) => count * head_dim);
  const parts = widths.map((width) => new Float32Array(rows * width));
  let at = 0;
  for (let n = 0; n < rows; n++) {
    widths.forEach((width, i) => {
      parts[i].set(fused.subarray(at, at + width), n * width);
      at += width;
    });
  }
  return parts;
}

/** (N, 2) first and end row of each row's sequence. */
function rowSegments(lengths: readonly number[], rows: number): Uint32Array {
  const segments = new Uint32Array(2 * rows);
  let start = 0;
  for (const length of lengths) {
    for (let n = start; n < start + length; n++) segments.set([start, start + length], 2 * n);
    start += length;
  }
  return segments;
}

/** (N, 3) source row, slot, position: one slot a sequence. */
function cacheEntries(lengths: readonly number[]): Uint32Array {
  let row = 0;
  return Uint32Array.from(
    lengths.flatMap((length, slot) =>
      Array.from({ length }, (_, position) => [row++, slot, position]).flat(),
    ),
  );
}
