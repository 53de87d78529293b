/**
 * One operation against its vectors, forward and backward, by the kernels that models dispatch. Which operation a file
 * holds is what its metadata says (`op`), never its name; shapes are the tensors' own. Attention and the head have files
 * of their own.
 */
import type { Gpu } from "../gpu/device.ts";
import { embedding } from "../kernels/embedding/embedding.ts";
import { embeddingBackward } from "../kernels/embedding/embedding_backward.ts";
import { embeddingPlan } from "../kernels/embedding/embedding_plan.ts";
import { rope } from "../kernels/embedding/rope.ts";
import { ropeBackward } from "../kernels/embedding/rope_backward.ts";
import { ropeTable } from "../kernels/embedding/rope_table.ts";
import { swiglu } from "../kernels/mlp/swiglu.ts";
import { swigluBackward } from "../kernels/mlp/swiglu_backward.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import { rmsNormBackward } from "../kernels/norm/rms_norm_backward.ts";
import { rmsNormWeightBackward } from "../kernels/norm/rms_norm_weight_backward.ts";
import {
  encodeLinear,
  encodeLinearBackwardInput,
  encodeLinearBackwardWeight,
  linearKernels,
} from "../model/linear.ts";
import { attentionChecks } from "./attention_case.ts";
import { type CaseResult, type Check, failedCase, judge, largest, onePlus } from "./compare.ts";
import { headChecks } from "./head_case.ts";
import { KernelRun } from "./kernel_run.ts";
import { gradientCheck } from "./tolerances.ts";
import type { Vectors } from "./vectors.ts";

type KernelCase = (run: KernelRun, vectors: Vectors) => Promise<Check[]>;

/** f32 reductions, and what rests on WGSL's own bounds for exp and inverseSqrt: relative and absolute. */
const REDUCTION = 1e-5;

const linear: KernelCase = async (run, vectors) => {
  await run.gpu.compile(linearKernels(run.gpu, "f32"));
  const [rows, inputs] = vectors.shape("x", 2);
  const [outputs] = vectors.shape("weight", 2);
  const dims = { rows, outputs, inputs };
  const [xValues, weightValues, dyValues] = [
    vectors.floats("x"),
    vectors.floats("weight"),
    vectors.floats("grad_out"),
  ];
  const [x, weight, dy] = [run.put("x", xValues), run.put("weight", weightValues), run.put("dy", dyValues)];
  const y = run.blank("y", rows * outputs);
  const dx = run.blank("dx", rows * inputs);
  // The weight's gradient is always added to what is there.
  const dweight = run.put("dweight", new Float32Array(outputs * inputs));
  encodeLinear(run.recorder, { x, weight, bias: null, y }, dims);
  encodeLinearBackwardInput(run.recorder, { dy, weight, dx }, dims);
  encodeLinearBackwardWeight(run.recorder, { dy, x, dweight }, dims);
  const [gotY, gotDx, gotDweight] = await run.read(y, dx, dweight);
  const want = vectors.exact("out");
  // 4·ε·√K of the row's largest magnitude; where cancellation left less than rows of these sizes usually have, of that.
  const usual = rowNorms(xValues, inputs).map(
    (norm) => (norm * largest(rowNorms(weightValues, inputs))) / Math.sqrt(inputs),
  );
  const scales = usual.map((size, n) =>
    Math.max(size, largest(Float64Array.from({ length: outputs }, (_, j) => want[n * outputs + j]))),
  );
  return [
    {
      name: "out",
      got: gotY,
      want,
      scale: (i) => scales[Math.floor(i / outputs)],
      tolerance: 4 * 2 ** -24 * Math.sqrt(inputs),
    },
    gradientCheck(vectors, "grad_x", gotDx, largest(dyValues) * largest(weightValues)),
    gradientCheck(vectors, "grad_weight", gotDweight, largest(dyValues) * largest(xValues)),
  ];
};

function rowNorms(values: Float32Array, width: number): Float64Array {
  return Float64Array.from({ length: values.length / width }, (_, n) =>
    Math.hypot(...values.subarray(n * width, (n + 1) * width)),
  );
}

const rmsNormCase: KernelCase = async (run, vectors) => {
  await run.gpu.compile([rmsNorm, rmsNormBackward, rmsNormWeightBackward]);
  const [rows, width] = vectors.shape("x", 2);
  const eps = vectors.number("eps");
  const [x, weight, dy] = ["x", "weight", "grad_out"].map((name) => run.put(name, vectors.floats(name)));
  const [y, rrms, dx] = [rows * width, rows, rows * width].map((length, i) => run.blank(`out ${i}`, length));
  const dweight = run.blank("dweight", width);
  rmsNorm.encode(run.recorder, { x, weight, y, rrms }, { rows, width, eps });
  rmsNormBackward.encode(run.recorder, { x, weight, rrms, dy, dx }, { rows, width, accumulate: 0 });
  rmsNormWeightBackward.encode(run.recorder, { x, rrms, dy, dweight }, { rows, width, accumulate: 0 });
  const [gotY, gotDx, gotDweight, gotRrms] = await run.read(y, dx, dweight, rrms);
  const want = vectors.exact("out");
  const upstream = largest(vectors.floats("grad_out"));
  return [
    { name: "out", got: gotY, want, scale: onePlus(want), tolerance: REDUCTION },
    gradientCheck(vectors, "grad_x", gotDx, upstream * largest(vectors.floats("weight")) * largest(gotRrms)),
    gradientCheck(
      vectors,
      "grad_weight",
      gotDweight,
      upstream * largest(vectors.floats("x")) * largest(gotRrms),
    ),
  ];
};

const swigluCase: KernelCase = async (run, vectors) => {
  await run.gpu.compile([swiglu, swigluBackward]);
  const [rows, width] = vectors.shape("gate", 2);
  const both = joinColumns(vectors.floats("gate"), vectors.floats("up"), width);
  const gate_up = run.put("gate_up", both);
  const dact = run.put("dact", vectors.floats("grad_out"));
  const act = run.blank("act", rows * width);
  const dgate_up = run.blank("dgate_up", 2 * rows * width);
  swiglu.encode(run.recorder, { gate_up, act }, { rows, width });
  swigluBackward.encode(run.recorder, { gate_up, dact, dgate_up }, { rows, width });
  const [gotAct, gotGrads] = await run.read(act, dgate_up);
  const check = (name: string, got: Float32Array): Check => {
    const want = vectors.exact(name);
    return { name, got, want, scale: onePlus(want), tolerance: REDUCTION };
  };
  return [
    check("out", gotAct),
    check("grad_gate", takeColumns(gotGrads, 2 * width, 0, width)),
    check("grad_up", takeColumns(gotGrads, 2 * width, width, width)),
  ];
};

const ropeCase: KernelCase = async (run, vectors) => {
  await run.gpu.compile([rope, ropeBackward]);
  const [rows, heads, headDim] = vectors.shape("x", 3);
  const first = vectors.metadata.first_position === undefined ? 0 : vectors.number("first_position");
  const max_positions = first + rows;
  const positions = run.put(
    "positions",
    Uint32Array.from({ length: rows }, (_, n) => first + n),
  );
  const table = run.put("table", ropeTable({ headDim, theta: vectors.number("theta") }, max_positions));
  // The kernel turns queries and keys of a fused projection: the heads stand for queries, key and value are zeros.
  const width = heads * headDim;
  const zeros = new Float32Array(2 * rows * headDim);
  const fuse = (name: string) => joinColumns(vectors.floats(name), zeros, width, 2 * headDim);
  const [qkv, dqkv] = [run.put("qkv", fuse("x")), run.put("dqkv", fuse("grad_out"))];
  const dims = { rows, heads, kv_heads: 1, head_dim: headDim, max_positions };
  rope.encode(run.recorder, { positions, table, qkv }, dims);
  ropeBackward.encode(run.recorder, { positions, table, dqkv }, dims);
  const [gotOut, gotGrad] = await run.read(qkv, dqkv);
  const check = (name: string, from: string, got: Float32Array): Check => ({
    name,
    got: takeColumns(got, width + 2 * headDim, 0, width),
    want: vectors.exact(name),
    // Element-wise: two products of a pair, so what counts is the size of the pair and not of their difference.
    scale: largest(vectors.floats(from)),
    tolerance: 1e-6,
  });
  return [check("out", "x", gotOut), check("grad_x", "grad_out", gotGrad)];
};

const embeddingCase: KernelCase = async (run, vectors) => {
  await run.gpu.compile([embedding, embeddingBackward]);
  const [vocab, width] = vectors.shape("table", 2);
  const idValues = vectors.words("ids");
  const rows = idValues.length;
  const plan = embeddingPlan(idValues, vocab);
  const [table, ids] = [run.put("table", vectors.floats("table")), run.put("ids", idValues)];
  const [offsets, order] = [run.put("offsets", plan.offsets), run.put("rows", plan.rows)];
  const dy = run.put("dy", vectors.floats("grad_out"));
  const [y, dtable] = [run.blank("y", rows * width), run.blank("dtable", vocab * width)];
  embedding.encode(run.recorder, { table, ids, y }, { rows, width, vocab, first: 0 });
  embeddingBackward.encode(
    run.recorder,
    { offsets, rows: order, dy, dtable },
    { vocab, width, rows, accumulate: 0, first: 0 },
  );
  const [gotY, gotTable] = await run.read(y, dtable);
  return [
    // A copy: every bit must agree.
    { name: "out", got: gotY, want: vectors.exact("out"), scale: 1, tolerance: 0 },
    gradientCheck(vectors, "grad_table", gotTable, largest(vectors.floats("grad_out"))),
  ];
};

/** (rows, left + right) of two matrices side by side. */
function joinColumns(
  left: Float32Array,
  right: Float32Array,
  leftWidth: number,
  rightWidth = leftWidth,
): Float32Array {
  const width = leftWidth + rightWidth;
  const rows = left.length / leftWidth;
  const joined = new Float32Array(rows * width);
  for (let n = 0; n < rows; n++) {
    joined.set(left.subarray(n * leftWidth, (n + 1) * leftWidth), n * width);
    joined.set(right.subarray(n * rightWidth, (n + 1) * rightWidth), n * width + leftWidth);
  }
  return joined;
}

/** Columns `start` … `start + count` of a matrix. */
function takeColumns(values: Float32Array, width: number, start: number, count: number): Float32Array {
  return Float32Array.from(
    { length: (values.length / width) * count },
    (_, i) => values[Math.floor(i / count) * width + start + (i % count)],
  );
}

/** By the `op` of a file's metadata. */
const KERNEL_CASES: Readonly<Record<string, KernelCase>> = {
  attention: attentionChecks,
  embedding: embeddingCase,
  head: headChecks,
  linear,
  rms_norm: rmsNormCase,
  rope: ropeCase,
  swiglu: swigluCase,
};

/** Runs the operation that the vectors hold; an unknown one, and results that nothing computes, are failures. */
export async function runKernelCase(gpu: Gpu, name: string, vectors: Vectors): Promise<CaseResult> {
  const { op } = vectors.metadata;
  if (op === undefined || !Object.hasOwn(KERNEL_CASES, op)) {
    const known = Object.keys(KERNEL_CASES).join(", ");
    return failedCase(name, `unknown operation ${op ?? "(none named)"}: there are ${known}`);
  }
  using run = new KernelRun(gpu, op);
  const checks = await KERNEL_CASES[op](run, vectors);
  const isResult = (tensor: string) => /^(out|entropy|grad_.+)$/.test(tensor) && tensor !== "grad_out";
  const missed = vectors.names.filter(
    (tensor) => isResult(tensor) && !checks.some((check) => check.name.split(" ")[0] === tensor),
  );
  if (missed.length > 0) return failedCase(name, `nothing computes ${missed.join(", ")}`);
  return judge(name, checks);
}
