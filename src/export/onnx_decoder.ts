/**
 * The decoder as an ONNX graph of standard operators, with keys and values of earlier tokens as inputs and outputs.
 * Names are those that Hugging Face's exporters write, so that onnxruntime and transformers.js know what is what:
 *
 *   input_ids, position_ids                (B, T)          int64
 *   attention_mask                         (B, P+T)        int64   1 for tokens, 0 for padding
 *   past_key_values.N.key, .value          (B, K, P, D)    f32     P may be 0
 *   logits                                 (B, T, V)       f32
 *   present.N.key, .value                  (B, K, P+T, D)  f32
 *
 * Everything but attention works on rows (B·T, C), so that weights stay (out, in) as in the checkpoint.
 */
import { ropeFrequencies } from "../kernels/embedding/rope_table.ts";
import type { ModelConfig } from "../model/config.ts";
import { GraphBuilder, type NamedTensors } from "./onnx_graph.ts";
import { BOOL, FLOAT, INT64, type OnnxGraph } from "./onnx_proto.ts";

/** Positions in the finer of the two rotary tables. */
const FINE = 256;
/** Stands for "not seen"; finite, because a row that sees nothing (padding) must not become NaN. */
const UNSEEN = -3.4e38;

/** What all layers share. */
interface Shared {
  g: GraphBuilder;
  config: ModelConfig;
  /** (B, T, 1, D/2) */
  cosines: string;
  sines: string;
  /** (B, 1, T, P+T) booleans. */
  visible: string;
  /** Shapes as int64 lists. */
  queryShape: string;
  kvShape: string;
  scoreShape: string;
  groupedShape: string;
}

/** Builds the graph; every tensor of `tensorNames(config)` is needed. @throws RangeError when one is missing */
export function decoderGraph(config: ModelConfig, tensors: NamedTensors): OnnxGraph {
  const g = new GraphBuilder(tensors);
  const pastDims = ["batch_size", config.kvHeads, "past_sequence_length", config.headDim];
  const presentDims = ["batch_size", config.kvHeads, "total_sequence_length", config.headDim];
  g.inputs.push(
    { name: "input_ids", dataType: INT64, dims: ["batch_size", "sequence_length"] },
    { name: "attention_mask", dataType: INT64, dims: ["batch_size", "total_sequence_length"] },
    { name: "position_ids", dataType: INT64, dims: ["batch_size", "sequence_length"] },
  );
  g.outputs.push({
    name: "logits",
    dataType: FLOAT,
    dims: ["batch_size", "sequence_length", config.vocabSize],
  });
  for (let layer = 0; layer < config.layers; layer++) {
    for (const kind of ["key", "value"]) {
      g.inputs.push({ name: `past_key_values.${layer}.${kind}`, dataType: FLOAT, dims: pastDims });
      g.outputs.push({ name: `present.${layer}.${kind}`, dataType: FLOAT, dims: presentDims });
    }
  }

  const shape = g.op("Shape", ["input_ids"]);
  const batch = g.op("Gather", [shape, g.integers(0)]);
  const length = g.op("Gather", [shape, g.integers(1)]);
  const shared = encodeShared(g, config, batch, length);
  const ids = g.op("Reshape", ["input_ids", g.integers(-1)]);
  let stream = g.op("Gather", [g.weight("model.embed_tokens.weight"), ids]); // (B·T, C)
  for (let layer = 0; layer < config.layers; layer++) stream = encodeLayer(shared, layer, stream);
  const normed = rmsNorm(g, stream, "model.norm.weight", config.normEps);
  const head = config.tiedHead ? "model.embed_tokens.weight" : "lm_head.weight";
  const logits = linear(g, normed, head); // (B·T, V)
  const logitShape = g.op("Concat", [batch, length, g.integers(config.vocabSize)], { axis: 0 });
  g.op("Reshape", [logits, logitShape], {}, "logits");
  return g.graph(`${config.modelType} decoder`);
}

function encodeShared(g: GraphBuilder, config: ModelConfig, batch: string, length: string): Shared {
  const { heads: H, kvHeads: K, headDim: D } = config;
  const past = g.op("Gather", [g.op("Shape", ["past_key_values.0.key"]), g.integers(2)]);
  const total = g.op("Add", [past, length]);
  const scalar = (list: string) => g.op("Squeeze", [list, g.integers(0)]);
  const range = (from: string, to: string) => g.op("Range", [from, to, g.integer(1)]);
  // A query sees the keys up to its own place, and of these the ones that are no padding.
  const keys = range(g.integer(0), scalar(total));
  const queries = g.op("Unsqueeze", [range(scalar(past), scalar(total)), g.integers(1)]);
  const causal = g.op("LessOrEqual", [keys, queries]); // (T, P+T)
  const tokens = g.op("Unsqueeze", [g.op("Cast", ["attention_mask"], { to: BOOL }), g.integers(1, 2)]);
  return {
    g,
    config,
    ...encodeRotations(g, config),
    visible: g.op("And", [causal, tokens]),
    queryShape: g.op("Concat", [batch, length, g.integers(H, D)], { axis: 0 }),
    kvShape: g.op("Concat", [batch, length, g.integers(K, D)], { axis: 0 }),
    scoreShape: g.op("Concat", [batch, g.integers(H, -1), total], { axis: 0 }),
    groupedShape: g.op("Concat", [batch, g.integers(K, -1), total], { axis: 0 }),
  };
}

/**
 * Cosines and sines of every position. A table of all positions would outweigh a small model (64 MiB at 131,072), and
 * angles multiplied in f32 are wrong in the third digit there; so two short tables, exact to f32, are joined by the
 * addition theorems: angle(256·a + b) = angle(256·a) + angle(b).
 */
function encodeRotations(g: GraphBuilder, config: ModelConfig): { cosines: string; sines: string } {
  const { headDim, ropeTheta: theta, ropeScaling: scaling, maxPositions } = config;
  const frequencies = ropeFrequencies({ headDim, theta, scaling });
  const half = frequencies.length;
  const coarse = g.op("Div", ["position_ids", g.integer(FINE)]);
  const fine = g.op("Sub", ["position_ids", g.op("Mul", [coarse, g.integer(FINE)])]);
  const look = (name: string, rows: number, stride: number, turn: (angle: number) => number, at: string) => {
    const values = Float32Array.from({ length: rows * half }, (_, i) =>
      turn(Math.floor(i / half) * stride * frequencies[i % half]),
    );
    return g.op("Gather", [g.floats(`rope.${name}`, [rows, half], values), at]); // (B, T, D/2)
  };
  const coarseRows = Math.ceil(maxPositions / FINE);
  const [cosA, sinA] = [Math.cos, Math.sin].map((turn) =>
    look(`coarse_${turn.name}`, coarseRows, FINE, turn, coarse),
  );
  const [cosB, sinB] = [Math.cos, Math.sin].map((turn) => look(`fine_${turn.name}`, FINE, 1, turn, fine));
  const product = (a: string, b: string) => g.op("Mul", [a, b]);
  const perHead = (x: string) => g.op("Unsqueeze", [x, g.integers(2)]);
  return {
    cosines: perHead(g.op("Sub", [product(cosA, cosB), product(sinA, sinB)])),
    sines: perHead(g.op("Add", [product(sinA, cosB), product(cosA, sinB)])),
  };
}

function encodeLayer(shared: Shared, layer: number, input: string): string {
  const { g, config } = shared;
  const name = (part: string) => `model.layers.${layer}.${part}`;
  const normed = rmsNorm(g, input, name("input_layernorm.weight"), config.normEps);
  const attended = attend(shared, layer, normed);
  const middle = g.op("Add", [input, linear(g, attended, name("self_attn.o_proj.weight"))]);
  const mlpNormed = rmsNorm(g, middle, name("post_attention_layernorm.weight"), config.normEps);
  const gate = linear(g, mlpNormed, name("mlp.gate_proj.weight"));
  const up = linear(g, mlpNormed, name("mlp.up_proj.weight"));
  const activated = g.op("Mul", [g.op("Mul", [gate, g.op("Sigmoid", [gate])]), up]);
  return g.op("Add", [middle, linear(g, activated, name("mlp.down_proj.weight"))]);
}

/** (B·T, H·D) from (B·T, C). */
function attend(shared: Shared, layer: number, rows: string): string {
  const { g, config } = shared;
  const { heads: H, kvHeads: K, headDim: D } = config;
  const project = (part: string, shape: string) => {
    const name = `model.layers.${layer}.self_attn.${part}_proj`;
    const y = linear(g, rows, `${name}.weight`, config.attentionBias ? `${name}.bias` : undefined);
    return g.op("Reshape", [y, shape]); // (B, T, heads, D)
  };
  const headNorm = (x: string, part: string) =>
    config.qkNorm ? rmsNorm(g, x, `model.layers.${layer}.self_attn.${part}_norm.weight`, config.normEps) : x;
  const byHead = (x: string) => g.op("Transpose", [x], { perm: [0, 2, 1, 3] }); // (B, heads, T, D)
  const remember = (x: string, kind: string) =>
    g.op("Concat", [`past_key_values.${layer}.${kind}`, byHead(x)], { axis: 2 }, `present.${layer}.${kind}`);

  const q = byHead(rotate(shared, headNorm(project("q", shared.queryShape), "q")));
  const k = remember(rotate(shared, headNorm(project("k", shared.kvShape), "k")), "key");
  const v = remember(project("v", shared.kvShape), "value");
  // The queries that share a key head lie one after another: grouped attention is the same product with more rows.
  const grouped = (x: string, shape: () => string) => (H === K ? x : g.op("Reshape", [x, shape()]));
  const scaled = g.op("Mul", [q, g.float(1 / Math.sqrt(D))]);
  const scores = g.op("MatMul", [
    grouped(scaled, () => g.integers(0, K, -1, D)),
    g.op("Transpose", [k], { perm: [0, 1, 3, 2] }),
  ]);
  const masked = g.op("Where", [shared.visible, grouped(scores, () => shared.scoreShape), g.float(UNSEEN)]);
  const weights = grouped(g.op("Softmax", [masked], { axis: -1 }), () => shared.groupedShape);
  const values = grouped(g.op("MatMul", [weights, v]), () => g.integers(0, H, -1, D)); // (B, H, T, D)
  return g.op("Reshape", [byHead(values), g.integers(-1, H * D)]);
}

/** Rotates the halves of (B, T, heads, D) against each other. */
function rotate({ g, cosines, sines }: Shared, x: string): string {
  const [a, b] = g.ops("Split", [x], 2, { axis: -1, num_outputs: 2 });
  const times = (half: string, by: string) => g.op("Mul", [half, by]);
  const first = g.op("Sub", [times(a, cosines), times(b, sines)]);
  const second = g.op("Add", [times(b, cosines), times(a, sines)]);
  return g.op("Concat", [first, second], { axis: -1 });
}

/** x / √(mean x² + eps) · weight over the last axis. */
function rmsNorm(g: GraphBuilder, x: string, weight: string, eps: number): string {
  const mean = g.op("ReduceMean", [g.op("Mul", [x, x]), g.integers(-1)], { keepdims: 1 });
  const root = g.op("Sqrt", [g.op("Add", [mean, g.float(eps)])]);
  return g.op("Mul", [g.op("Div", [x, root]), g.weight(weight)]);
}

/** x·Wᵀ (+ bias) of rows. */
function linear(g: GraphBuilder, x: string, weight: string, bias?: string): string {
  const inputs = [x, g.weight(weight), ...(bias === undefined ? [] : [g.weight(bias)])];
  return g.op("Gemm", inputs, { transB: 1 });
}
