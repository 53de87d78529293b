/** ONNX's node tests for the operators that a decoder has, as far as our kernels do what they ask. */
import { describe, expect, it } from "vitest";
import { Recorder } from "../../src/gpu/recorder.ts";
import { attention } from "../../src/kernels/attention/attention.ts";
import { decodeAttention } from "../../src/kernels/attention/decode_attention.ts";
import { kvStore } from "../../src/kernels/attention/kv_store.ts";
import { rope } from "../../src/kernels/embedding/rope.ts";
import { headFinish } from "../../src/kernels/head/head_finish.ts";
import { headTile } from "../../src/kernels/head/head_tile.ts";
import { rmsNorm } from "../../src/kernels/norm/rms_norm.ts";
import { expectClose, largest, runKernel, testGpu } from "../gpu_harness.ts";
import { hasOnnxCases, type OnnxCase, type OnnxTensor, onnxCases } from "./onnx_cases.ts";

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);

/** (B, S, heads, D) from (B, S, heads·D) or (B, heads, S, D). */
function bySequence({ shape, values }: OnnxTensor, heads: number) {
  if (shape.length === 3) return { batch: shape[0], length: shape[1], dim: shape[2] / heads, values };
  const [batch, , length, dim] = shape;
  const moved = values.map((_, i) => {
    const [b, s] = [Math.floor(i / (length * heads * dim)), Math.floor(i / (heads * dim)) % length];
    const [h, d] = [Math.floor(i / dim) % heads, i % dim];
    return values[((b * heads + h) * length + s) * dim + d];
  });
  return { batch, length, dim, values: moved };
}

/** Why our attention cannot be asked this, or null. */
function attentionGap({ inputs, attributes }: OnnxCase): string | null {
  if (inputs.has("attn_mask")) return "masks other than causal";
  if (attributes.softcap !== undefined) return "soft-capped scores";
  const size = (name: string, heads: unknown) => {
    const { shape } = inputs.get(name)!;
    return shape.length === 4 ? shape[3] : shape[2] / (heads as number);
  };
  if (size("K", attributes.kv_num_heads) !== size("V", attributes.kv_num_heads))
    return "values of another size than keys";
  return null;
}

/** What both ways of attending share: rows of queries, all keys and values, and how far each query may look. */
function readAttention({ inputs, attributes }: OnnxCase) {
  const [Q, K, V] = ["Q", "K", "V"].map((name) => inputs.get(name)!);
  const heads = Q.shape.length === 4 ? Q.shape[1] : (attributes.q_num_heads as number);
  const kvHeads = K.shape.length === 4 ? K.shape[1] : (attributes.kv_num_heads as number);
  const q = bySequence(Q, heads);
  const withPast = (present: OnnxTensor, name: string) => {
    const now = bySequence(present, kvHeads);
    const past = inputs.get(name);
    if (!past) return { ...now, pastLength: 0 };
    const before = bySequence(past, kvHeads);
    const row = kvHeads * now.dim;
    const joined = Array.from({ length: now.batch }, (_, b) => [
      ...before.values.subarray(b * before.length * row, (b + 1) * before.length * row),
      ...now.values.subarray(b * now.length * row, (b + 1) * now.length * row),
    ]);
    return {
      ...now,
      length: before.length + now.length,
      values: Float64Array.from(joined.flat()),
      pastLength: before.length,
    };
  };
  const [k, v] = [withPast(K, "past_key"), withPast(V, "past_value")];
  const filled = inputs.get("nonpad_kv_seqlen")?.values;
  const causal = attributes.is_causal === 1;
  /** Position of query `i`, the last that it sees; below 0 where it sees nothing. */
  const position = (b: number, i: number) => {
    if (!causal) return (filled?.[b] ?? k.length) - 1;
    return (filled ? filled[b] - q.length : k.pastLength) + i;
  };
  const scale = (attributes.scale as number | undefined) ?? 1 / Math.sqrt(q.dim);
  return { heads, kvHeads, dim: q.dim, q, k, v, causal, position, scale };
}
type Attention = ReturnType<typeof readAttention>;

/** (N, H+2K, D) of rows given by their query row and their key row; −1 is zeros. */
function fusedRows({ heads, kvHeads, dim, q, k, v }: Attention, rows: readonly [number, number][]) {
  const [queryWidth, kvWidth] = [heads * dim, kvHeads * dim];
  const fused = new Float32Array(rows.length * (queryWidth + 2 * kvWidth));
  rows.forEach(([query, key], n) => {
    const at = n * (queryWidth + 2 * kvWidth);
    if (query >= 0) fused.set(q.values.subarray(query * queryWidth, (query + 1) * queryWidth), at);
    if (key < 0) return;
    fused.set(k.values.subarray(key * kvWidth, (key + 1) * kvWidth), at + queryWidth);
    fused.set(v.values.subarray(key * kvWidth, (key + 1) * kvWidth), at + queryWidth + kvWidth);
  });
  return fused;
}

/** Every query decodes over a cache that holds all keys and values. */
async function decodeOverCache(given: Attention): Promise<Float32Array> {
  const gpu = await testGpu();
  await gpu.compile([kvStore, decodeAttention]);
  const { heads, kvHeads: kv_heads, dim: head_dim, q, k, position, scale } = given;
  const [queries, keys] = [q.batch * q.length, k.batch * k.length];
  const shape = { heads, kv_heads, head_dim, slots: k.batch, capacity: k.length };
  const keyRows = Array.from({ length: keys }, (_, row): [number, number] => [-1, row]);
  const queryRows = Array.from({ length: queries }, (_, row): [number, number] => [row, -1]);
  using stored = gpu.bufferFrom("stored", fusedRows(given, keyRows));
  using asked = gpu.bufferFrom("asked", fusedRows(given, queryRows));
  using places = gpu.bufferFrom(
    "places",
    Uint32Array.from(keyRows.flatMap((_, row) => [row, Math.floor(row / k.length), row % k.length])),
  );
  using entries = gpu.bufferFrom(
    "entries",
    Uint32Array.from(
      queryRows.flatMap((_, row) => {
        const [b, i] = [Math.floor(row / q.length), row % q.length];
        return [row, b, position(b, i)];
      }),
    ),
  );
  using cache_k = gpu.buffer("keys", keys * kv_heads * head_dim);
  using cache_v = gpu.buffer("values", keys * kv_heads * head_dim);
  using out = gpu.buffer("out", queries * heads * head_dim);
  const recorder = new Recorder(gpu, "onnx");
  kvStore.encode(
    recorder,
    { qkv: stored, entries: places, cache_k, cache_v },
    { ...shape, entries: keys, rows: keys },
  );
  decodeAttention.encode(
    recorder,
    { qkv: asked, entries, cache_k, cache_v, out },
    { ...shape, rows: queries, source_rows: queries, scale },
  );
  recorder.submit();
  return out.readFloats();
}

/** One packed sequence for each batch entry, up to its last query; positions before the first query ask zeros. */
async function attendPacked(given: Attention): Promise<Float32Array> {
  const { heads, kvHeads: kv_heads, dim: head_dim, q, k, position, scale } = given;
  const rows: [number, number][] = [];
  const segments: number[] = [];
  for (let b = 0; b < q.batch; b++) {
    const [first, end] = [position(b, 0), position(b, q.length - 1) + 1];
    const start = rows.length;
    for (let p = 0; p < end; p++) {
      rows.push([p < first ? -1 : b * q.length + p - first, b * k.length + p]);
      segments.push(start, start + end);
    }
  }
  const { out } = await runKernel(
    attention(head_dim),
    {
      qkv: fusedRows(given, rows),
      segments: Uint32Array.from(segments),
      out: new Float32Array(rows.length * heads * head_dim),
      lse: new Float32Array(rows.length * heads),
    },
    { rows: rows.length, heads, kv_heads, head_dim, scale },
  );
  const width = heads * head_dim;
  return Float32Array.from(
    rows.flatMap(([query], n) => (query < 0 ? [] : [...out.subarray(n * width, (n + 1) * width)])),
  );
}

describe.skipIf(!hasOnnxCases)("ONNX Attention", () => {
  const cases = onnxCases("attention");
  const asked = cases.filter((one) => attentionGap(one) === null);

  it("is asked in the 15 cases without masks, soft caps and values of another size", () => {
    expect([asked.length, cases.length]).toEqual([15, 51]);
    const gaps = new Set(cases.map(attentionGap));
    expect(gaps.size).toBe(4);
  });

  it.each(asked.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const given = readAttention(one);
    const Y = one.outputs.get("Y")!;
    const want = bySequence(Y, given.heads).values;
    // Weighted means of values, relative to the largest; f16 results carry f16's rounding.
    const atol = (Y.dtype === "float16" ? 2e-3 : 1e-5) * largest(given.v.values);
    expectClose("decoded", await decodeOverCache(given), want, { atol });
    const isPackable =
      given.causal && Array.from({ length: given.q.batch }).every((_, b) => given.position(b, 0) >= 0);
    if (isPackable) expectClose("packed", await attendPacked(given), want, { atol });
  });
});

describe.skipIf(!hasOnnxCases)("ONNX RotaryEmbedding", () => {
  const cases = onnxCases("rotary_embedding");
  // Three cases rotate only a part of each head: config.json files that ask for it are refused.
  const whole = cases.filter(({ attributes }) => attributes.rotary_embedding_dim === undefined);

  it("is asked in the five cases that rotate whole heads", () => {
    expect([whole.length, cases.length]).toEqual([5, 8]);
  });

  it.each(whole.map((one) => [one.name, one] as const))("%s", async (_, { inputs, outputs, attributes }) => {
    const input = inputs.get("input")!;
    const heads = input.shape.length === 4 ? input.shape[1] : (attributes.num_heads as number);
    const { batch, length, dim, values } = bySequence(input, heads);
    const want = bySequence(outputs.get("output")!, heads).values;
    const [cosines, sines] = [inputs.get("cos_cache")!.values, inputs.get("sin_cache")!.values];
    const table = Float32Array.from(
      { length: 2 * cosines.length },
      (_, i) => (i % 2 === 0 ? cosines : sines)[i >> 1],
    );
    const rows = batch * length;
    // Without ids the caches have a row for every token.
    const ids = inputs.get("position_ids")?.values;
    const positions = Uint32Array.from({ length: rows }, (_, n) => ids?.[n] ?? n);
    // Interleaved pairs lie at 2j and 2j + 1; ours at j and j + D/2, as in checkpoints of Hugging Face.
    const column = (d: number) =>
      attributes.interleaved === 1 ? 2 * (d % (dim / 2)) + (d < dim / 2 ? 0 : 1) : d;
    const width = (heads + 2) * dim;
    const at = (n: number, h: number, d: number) => (n * heads + h) * dim + column(d);
    const fuse = (from: ArrayLike<number>) =>
      Float32Array.from({ length: rows * width }, (_, i) => {
        const [n, h, d] = [Math.floor(i / width), Math.floor(i / dim) % (heads + 2), i % dim];
        return h < heads ? from[at(n, h, d)] : 0;
      });
    const { qkv } = await runKernel(
      rope,
      { positions, table, qkv: fuse(values) },
      { rows, heads, kv_heads: 1, head_dim: dim, max_positions: (2 * cosines.length) / dim },
    );
    expectClose("output", qkv, fuse(want), { atol: 1e-6 * largest(values) });
  });
});

describe.skipIf(!hasOnnxCases)("ONNX RMSNormalization", () => {
  const cases = onnxCases("rms_normalization");
  it.each(cases.map((one) => [one.name, one] as const))("%s", async (_, { inputs, outputs, attributes }) => {
    const { shape, values } = inputs.get("X")!;
    const from = (attributes.axis as number | undefined) ?? -1;
    const axis = from < 0 ? from + shape.length : from;
    const [rows, width] = [product(shape.slice(0, axis)), product(shape.slice(axis))];
    const eps = (attributes.epsilon as number | undefined) ?? 1e-5;
    const weight = Float32Array.from(inputs.get("W")!.values);
    const { y } = await runKernel(
      rmsNorm,
      {
        x: Float32Array.from(values),
        weight,
        y: new Float32Array(rows * width),
        rrms: new Float32Array(rows),
      },
      { rows, width, eps },
    );
    expectClose("Y", y, outputs.get("Y")!.values, { rtol: 1e-5, atol: 1e-5 });
  });

  it("is asked in all 19 cases", () => expect(cases).toHaveLength(19));
});

describe.skipIf(!hasOnnxCases)("ONNX SoftmaxCrossEntropyLoss", () => {
  const cases = onnxCases("softmax_cross_entropy");

  /** (N) log-probabilities of one class a row, from (N, classes) logits. */
  async function logprobsOf(
    logits: Float32Array,
    targets: Uint32Array,
    classes: number,
  ): Promise<Float32Array> {
    const rows = targets.length;
    const { state } = await runKernel(
      headTile,
      { logits, targets, state: new Float32Array(4 * rows) },
      { rows, tile_width: classes, tile_start: 0, first: 1, inverse_temperature: 1 },
    );
    const [logprob, entropy, lse] = [0, 1, 2].map(() => new Float32Array(rows));
    return (await runKernel(headFinish, { state, logprob, entropy, lse }, { rows })).logprob;
  }

  it.each(cases.map((one) => [one.name, one] as const))("%s", async (_, { inputs, outputs, attributes }) => {
    const [x, y] = [inputs.get("x")!, inputs.get("y")!];
    const [batch, classes] = x.shape;
    const inner = product(x.shape.slice(2));
    // Classes are the second axis: row (b, i), class c lies at (b · classes + c) · inner + i.
    const at = (row: number, c: number) => (Math.floor(row / inner) * classes + c) * inner + (row % inner);
    const rows = batch * inner;
    const logits = Float32Array.from(
      { length: rows * classes },
      (_, i) => x.values[at(Math.floor(i / classes), i % classes)],
    );
    const ignored = [...y.values].map((label) => label === attributes.ignore_index);
    const labels = Uint32Array.from(y.values, (label, row) => (ignored[row] ? 0 : label));
    const weights = inputs.get("w")?.values;
    const counted = [...labels].map((label, row) => (ignored[row] ? 0 : (weights?.[label] ?? 1)));
    const logprobs = await logprobsOf(logits, labels, classes);
    const losses = counted.map((weight, row) => -weight * logprobs[row]);
    const total = losses.reduce((sum, loss) => sum + loss, 0);
    const z = {
      none: losses,
      sum: [total],
      mean: [total / counted.reduce((sum, weight) => sum + weight, 0)],
    }[(attributes.reduction as "none" | "sum" | "mean" | undefined) ?? "mean"];
    expectClose("z", z, outputs.get("z")!.values, { rtol: 1e-5, atol: 1e-5 });
    const all = outputs.get("log_prob");
    if (!all) return;
    for (let c = 0; c < classes; c++) {
      const want = Float64Array.from({ length: rows }, (_, row) => all.values[at(row, c)]);
      expectClose(
        `log_prob of class ${c}`,
        await logprobsOf(logits, new Uint32Array(rows).fill(c), classes),
        want,
        {
          rtol: 1e-5,
          atol: 1e-5,
        },
      );
    }
  });

  it("is asked in all 23 cases", () => expect(cases).toHaveLength(23));
});
