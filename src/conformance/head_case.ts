/** The head against its vectors: log-probability, entropy and gradients, by one tile of the vocabulary and by several. */
import { gatherRows } from "../kernels/embedding/gather_rows.ts";
import { scatterRows } from "../kernels/embedding/scatter_rows.ts";
import { headFinish } from "../kernels/head/head_finish.ts";
import { headTile } from "../kernels/head/head_tile.ts";
import { headTileBackward } from "../kernels/head/head_tile_backward.ts";
import { rmsNormBackward } from "../kernels/norm/rms_norm_backward.ts";
import { rmsNormWeightBackward } from "../kernels/norm/rms_norm_weight_backward.ts";
import type { ModelConfig } from "../model/config.ts";
import { makeDecoder } from "../model/decoder.ts";
import { encodeHead, encodeHeadBackward, HeadWorkspace, vocabularyTile } from "../model/head.ts";
import { packTensors, unpackTensors } from "../model/layout.ts";
import { linearKernels } from "../model/linear.ts";
import { Parameters } from "../model/parameters.ts";
import { type Check, largest, onePlus } from "./compare.ts";
import type { KernelRun } from "./kernel_run.ts";
import { gradientCheck } from "./tolerances.ts";
import type { Vectors } from "./vectors.ts";

/** Softmax over the vocabulary: relative and absolute. */
const SOFTMAX = 1e-5;

export async function headChecks(run: KernelRun, vectors: Vectors): Promise<Check[]> {
  await run.gpu.compile([
    ...linearKernels(run.gpu, "f32"),
    headTile,
    headFinish,
    headTileBackward,
    gatherRows,
    scatterRows,
    rmsNormBackward,
    rmsNormWeightBackward,
  ]);
  const [rows] = vectors.shape("hidden", 2);
  const [vocab] = vectors.shape("weight", 2);
  const whole = await headPass(run, vectors, rows);
  const checks = compareHead(vectors, whole, `by tiles of ${whole.tile}`);
  // A larger workspace takes smaller tiles: as many rows as make three tiles or more of the vocabulary.
  let capacity = rows;
  while (vocabularyTile(vocab, capacity) * 3 > Math.max(192, vocab) && capacity < 2 ** 16) capacity *= 2;
  if (vocabularyTile(vocab, capacity) === whole.tile) return checks;
  const tiled = await headPass(run, vectors, capacity);
  return [...checks, ...compareHead(vectors, tiled, `by tiles of ${tiled.tile}`)];
}

interface HeadResult {
  tile: number;
  logprobs: Float32Array;
  entropy: Float32Array;
  dHidden: Float32Array;
  dWeight: Float32Array;
}

/** The head of a model without layers, its final norm left out: the vectors' hidden states go straight to the head. */
async function headPass(run: KernelRun, vectors: Vectors, capacity: number): Promise<HeadResult> {
  const { gpu, recorder } = run;
  const [rows, width] = vectors.shape("hidden", 2);
  const [vocabSize] = vectors.shape("weight", 2);
  const decoder = makeDecoder(gpu, headOnly(vocabSize, width), 1);
  run.hold(decoder.rotations);
  const weights = run.hold(new Parameters(gpu, decoder.layout, "weights"));
  const gradients = run.hold(new Parameters(gpu, decoder.layout, "gradients"));
  const tensors = new Map([
    ["model.embed_tokens.weight", { data: vectors.floats("weight") }],
    ["model.norm.weight", { data: new Float32Array(width).fill(1) }],
  ]);
  weights.write(packTensors(decoder.layout, tensors));
  const head = run.hold(new HeadWorkspace(decoder, capacity, "head"));
  head.normed.write(vectors.floats("hidden"));
  head.targets.write(vectors.words("target"));
  head.index.write(Uint32Array.from({ length: rows }, (_, n) => n));
  const dLogprobs = run.put("d logprobs", vectors.floats("grad_out"));
  const dx = run.put("dx", new Float32Array(rows * width));
  encodeHead(recorder, decoder, weights, head, rows, 1);
  encodeHeadBackward(recorder, decoder, weights, gradients, head, dLogprobs, dx, rows, rows, 1);
  const [logprobs, entropy, dHidden, ...shards] = await run.read(
    head.logprobs,
    head.entropy,
    head.dNormed,
    ...gradients.shards,
  );
  const dWeight = unpackTensors(decoder.layout, shards).get("model.embed_tokens.weight");
  return {
    tile: head.tile,
    logprobs: logprobs.subarray(0, rows),
    entropy: entropy.subarray(0, rows),
    dHidden: dHidden.subarray(0, rows * width),
    dWeight: dWeight?.data ?? new Float32Array(),
  };
}

function compareHead(vectors: Vectors, result: HeadResult, how: string): Check[] {
  const upstream = largest(vectors.floats("grad_out"));
  const softmax = (name: string, got: Float32Array): Check => {
    const want = vectors.exact(name);
    return { name: `${name} (${how})`, got, want, scale: onePlus(want), tolerance: SOFTMAX };
  };
  const gradient = (name: string, got: Float32Array, other: string) =>
    gradientCheck(vectors, name, got, upstream * largest(vectors.floats(other)), `${name} (${how})`);
  return [
    softmax("out", result.logprobs),
    softmax("entropy", result.entropy),
    gradient("grad_hidden", result.dHidden, "weight"),
    gradient("grad_weight", result.dWeight, "hidden"),
  ];
}

function headOnly(vocabSize: number, width: number): ModelConfig {
  return {
    modelType: "llama",
    vocabSize,
    width,
    mlpWidth: 1,
    layers: 0,
    heads: 1,
    kvHeads: 1,
    headDim: 4,
    ropeTheta: 10000,
    normEps: 1e-5,
    tiedHead: true,
    attentionBias: false,
    qkNorm: false,
    maxPositions: 1,
    eosIds: [],
    bosId: null,
    padId: null,
    raw: {},
  };
}
