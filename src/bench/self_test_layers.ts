/** Self-tests of the kernels inside a layer, and of the embedding. */
import { attention } from "../kernels/attention/attention.ts";
import { attentionBackwardKeyValue } from "../kernels/attention/attention_backward_key_value.ts";
import { attentionBackwardQuery } from "../kernels/attention/attention_backward_query.ts";
import { attentionDelta } from "../kernels/attention/attention_delta.ts";
import { decodeAttention } from "../kernels/attention/decode_attention.ts";
import { kvStore } from "../kernels/attention/kv_store.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { embeddingBackward } from "../kernels/embedding/embedding_backward.ts";
import { embeddingPlan } from "../kernels/embedding/embedding_plan.ts";
import { rope } from "../kernels/embedding/rope.ts";
import { ropeBackward } from "../kernels/embedding/rope_backward.ts";
import { ropeTable } from "../kernels/embedding/rope_table.ts";
import { linear } from "../kernels/linear/linear.ts";
import { linearBackwardInputVec4 } from "../kernels/linear/linear_backward_input_vec4.ts";
import { linearBackwardWeightVec4 } from "../kernels/linear/linear_backward_weight_vec4.ts";
import { linearVec4 } from "../kernels/linear/linear_vec4.ts";
import { swiglu } from "../kernels/mlp/swiglu.ts";
import { swigluBackward } from "../kernels/mlp/swiglu_backward.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import { rmsNormBackward } from "../kernels/norm/rms_norm_backward.ts";
import { smallFloats } from "./kernel_case.ts";
import type { FamilyTest } from "./self_test.ts";

const zeros = (length: number) => new Float32Array(length);
const fill = (length: number, at: (i: number) => number) => Array.from({ length }, (_, i) => at(i));
const sum = (length: number, at: (i: number) => number) => {
  let total = 0;
  for (let i = 0; i < length; i++) total += at(i);
  return total;
};

export const testEmbedding: FamilyTest = async (run) => {
  const [vocab, width, rows] = [5, 12, 7];
  const ids = Uint32Array.of(4, 0, 2, 2, 1, 4, 2);
  const table = smallFloats(vocab * width);
  const y = await run(
    embedding,
    { table, ids, y: zeros(rows * width) },
    { rows, width, vocab, first: 0 },
    "y",
  );
  const dy = smallFloats(rows * width);
  const dtable = await run(
    embeddingBackward,
    { ...embeddingPlan(ids, vocab), dy, dtable: zeros(vocab * width) },
    { vocab, width, rows, accumulate: 0, first: 0 },
    "dtable",
  );
  const [D, heads] = [8, 2];
  const positions = Uint32Array.of(0, 3, 9);
  const turns = ropeTable({ headDim: D, theta: 100 }, 10);
  const qkv = smallFloats(3 * 4 * D);
  const dims = { rows: 3, heads, kv_heads: 1, head_dim: D, max_positions: 10 };
  const rotated = await run(rope, { positions, table: turns, qkv }, dims, "qkv");
  const back = await run(ropeBackward, { positions, table: turns, dqkv: rotated }, dims, "dqkv");
  const turned = fill(qkv.length, (i) => {
    const [row, head, d] = [Math.floor(i / (4 * D)), Math.floor(i / D) % 4, i % D];
    if (head === 3) return qkv[i];
    const angle = positions[row] * 100 ** ((-2 * (d % 4)) / D);
    const partner = d < 4 ? -qkv[i + 4] : qkv[i - 4];
    return qkv[i] * Math.cos(angle) + partner * Math.sin(angle);
  });
  return [
    {
      name: "embedding",
      got: y,
      want: fill(y.length, (i) => table[ids[Math.floor(i / width)] * width + (i % width)]),
      tolerance: 0,
    },
    {
      name: "embedding_backward",
      got: dtable,
      want: fill(dtable.length, (i) =>
        sum(rows, (n) => (ids[n] === Math.floor(i / width) ? dy[n * width + (i % width)] : 0)),
      ),
      tolerance: 1e-6,
    },
    { name: "rope", got: rotated, want: turned, tolerance: 1e-5 },
    { name: "rope_backward", got: back, want: qkv, tolerance: 1e-5 },
  ];
};

export const testNorm: FamilyTest = async (run) => {
  const [rows, width, eps] = [3, 20, 1e-5];
  const x = smallFloats(rows * width);
  const weight = smallFloats(width).map((value) => 1 + value);
  const dy = smallFloats(2 * rows * width).subarray(rows * width);
  const scale = fill(rows, (n) => 1 / Math.sqrt(sum(width, (c) => x[n * width + c] ** 2) / width + eps));
  const y = await run(
    rmsNorm,
    { x, weight, y: zeros(x.length), rrms: zeros(rows) },
    { rows, width, eps },
    "y",
  );
  const dx = await run(
    rmsNormBackward,
    { x, weight, rrms: Float32Array.from(scale), dy, dx: zeros(x.length) },
    { rows, width, accumulate: 0 },
    "dx",
  );
  const row = (i: number) => Math.floor(i / width);
  const dot = fill(rows, (n) =>
    sum(width, (c) => dy[n * width + c] * weight[c] * x[n * width + c] * scale[n]),
  );
  return [
    {
      name: "rms_norm",
      got: y,
      want: fill(x.length, (i) => x[i] * scale[row(i)] * weight[i % width]),
      tolerance: 1e-5,
    },
    {
      name: "rms_norm_backward",
      got: dx,
      want: fill(x.length, (i) => {
        const r = scale[row(i)];
        return r * (dy[i] * weight[i % width] - (x[i] * r * dot[row(i)]) / width);
      }),
      tolerance: 1e-5,
    },
  ];
};

export const testLinear: FamilyTest = async (run) => {
  const [rows, outputs, inputs] = [9, 12, 20];
  const x = smallFloats(rows * inputs);
  const w = smallFloats(outputs * inputs + 7).subarray(7);
  const bias = smallFloats(outputs);
  const dy = smallFloats(rows * outputs + 3).subarray(3);
  const dims = { rows, outputs, inputs, has_bias: 1, accumulate: 0, y_stride: outputs, y_start: 0 };
  const bindings = { x, w, bias, y: zeros(rows * outputs) };
  const y = fill(
    rows * outputs,
    (i) =>
      bias[i % outputs] +
      sum(inputs, (c) => x[Math.floor(i / outputs) * inputs + c] * w[(i % outputs) * inputs + c]),
  );
  return [
    { name: "linear", got: await run(linear, bindings, dims, "y"), want: y, tolerance: 1e-5 },
    { name: "linear_vec4", got: await run(linearVec4, bindings, dims, "y"), want: y, tolerance: 1e-5 },
    {
      name: "linear_backward_input_vec4",
      got: await run(linearBackwardInputVec4, { dy, w, dx: zeros(rows * inputs) }, dims, "dx"),
      want: fill(rows * inputs, (i) =>
        sum(outputs, (o) => dy[Math.floor(i / inputs) * outputs + o] * w[o * inputs + (i % inputs)]),
      ),
      tolerance: 1e-5,
    },
    {
      name: "linear_backward_weight_vec4",
      got: await run(linearBackwardWeightVec4, { dy, x, dw: zeros(outputs * inputs) }, dims, "dw"),
      want: fill(outputs * inputs, (i) =>
        sum(rows, (n) => dy[n * outputs + Math.floor(i / inputs)] * x[n * inputs + (i % inputs)]),
      ),
      tolerance: 1e-5,
    },
  ];
};

export const testAttention: FamilyTest = async (run) => {
  // One query, key and value head; two sequences of four and three tokens.
  const [rows, D, heads] = [7, 8, 3];
  const starts = [0, 0, 0, 0, 4, 4, 4];
  const ends = [4, 4, 4, 4, 7, 7, 7];
  const segments = Uint32Array.from(starts.flatMap((start, n) => [start, ends[n]]));
  const qkv = smallFloats(rows * heads * D).map((value) => 3 * value);
  const dout = smallFloats(rows * D + 5).subarray(5);
  const scale = 1 / Math.sqrt(D);
  const at = (n: number, head: number, d: number) => qkv[(n * heads + head) * D + d];
  const p: number[][] = starts.map((start, n) => {
    const weights = fill(rows, (j) =>
      j < start || j > n ? 0 : Math.exp(scale * sum(D, (d) => at(n, 0, d) * at(j, 1, d))),
    );
    const total = sum(rows, (j) => weights[j]);
    return weights.map((weight) => weight / total);
  });
  const out = fill(rows * D, (i) => sum(rows, (j) => p[Math.floor(i / D)][j] * at(j, 2, i % D)));
  const lse = fill(rows, (n) => scale * sum(D, (d) => at(n, 0, d) * at(n, 1, d)) - Math.log(p[n][n]));
  const delta = fill(rows, (n) => sum(D, (d) => dout[n * D + d] * out[n * D + d]));
  const ds = p.map((row, n) =>
    row.map((weight, j) => scale * weight * (sum(D, (d) => dout[n * D + d] * at(j, 2, d)) - delta[n])),
  );
  const dqkv = fill(qkv.length, (i) => {
    const [n, head, d] = [Math.floor(i / (heads * D)), Math.floor(i / D) % heads, i % D];
    if (head === 0) return sum(rows, (j) => ds[n][j] * at(j, 1, d));
    if (head === 1) return sum(rows, (m) => ds[m][n] * at(m, 0, d));
    return sum(rows, (m) => p[m][n] * dout[m * D + d]);
  });
  const dims = { rows, heads: 1, kv_heads: 1, head_dim: D, scale };
  const attended = await run(
    attention(D),
    { qkv, segments, out: zeros(rows * D), lse: zeros(rows) },
    dims,
    "out",
  );
  const gotDelta = await run(
    attentionDelta,
    { dout, out: Float32Array.from(out), delta: zeros(rows) },
    dims,
    "delta",
  );
  const kept = { qkv, segments, dout, lse: Float32Array.from(lse), delta: Float32Array.from(delta) };
  const query = await run(attentionBackwardQuery(D), { ...kept, dqkv: zeros(qkv.length) }, dims, "dqkv");
  const both = await run(attentionBackwardKeyValue(D), { ...kept, dqkv: query }, dims, "dqkv");
  // The second sequence again, its keys and values by way of the cache: row 6 attends all three.
  const entries = Uint32Array.from([4, 5, 6].flatMap((row) => [row, 0, row - 4]));
  const cached = { heads: 1, kv_heads: 1, head_dim: D, slots: 1, capacity: 4 };
  const caches = { cache_k: zeros(4 * D), cache_v: zeros(4 * D) };
  const store = { ...cached, entries: 3, rows };
  const cache_k = await run(kvStore, { qkv, entries, ...caches }, store, "cache_k");
  const cache_v = await run(kvStore, { qkv, entries, ...caches }, store, "cache_v");
  const decoded = await run(
    decodeAttention,
    { qkv, entries: entries.slice(6), cache_k, cache_v, out: zeros(D) },
    { ...cached, rows: 1, source_rows: rows, scale },
    "out",
  );
  return [
    { name: "attention", got: attended, want: out, tolerance: 1e-5 },
    { name: "attention_delta", got: gotDelta, want: delta, tolerance: 1e-5 },
    { name: "attention_backward", got: both, want: dqkv, tolerance: 1e-5 },
    { name: "decode_attention", got: decoded, want: out.slice(6 * D), tolerance: 1e-5 },
  ];
};

export const testMlp: FamilyTest = async (run) => {
  const [rows, width] = [3, 12];
  const gate_up = smallFloats(2 * rows * width).map((value) => 8 * value);
  const dact = smallFloats(rows * width);
  const dims = { rows, width };
  const place = (i: number) => Math.floor(i / width) * 2 * width + (i % width);
  const sigma = (x: number) => 1 / (1 + Math.exp(-x));
  const act = await run(swiglu, { gate_up, act: zeros(rows * width) }, dims, "act");
  const dgate = await run(
    swigluBackward,
    { gate_up, dact, dgate_up: zeros(2 * rows * width) },
    dims,
    "dgate_up",
  );
  const want = new Float64Array(2 * rows * width);
  for (let i = 0; i < rows * width; i++) {
    const [gate, up] = [gate_up[place(i)], gate_up[place(i) + width]];
    const s = sigma(gate);
    want[place(i)] = dact[i] * up * s * (1 + gate * (1 - s));
    want[place(i) + width] = dact[i] * gate * s;
  }
  return [
    {
      name: "swiglu",
      got: act,
      want: fill(act.length, (i) => {
        const gate = gate_up[place(i)];
        return gate * sigma(gate) * gate_up[place(i) + width];
      }),
      tolerance: 1e-5,
    },
    { name: "swiglu_backward", got: dgate, want, tolerance: 1e-5 },
  ];
};
