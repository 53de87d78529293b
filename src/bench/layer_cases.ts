/** The kernels of a decoder layer, forward and backward, at the sizes of one set. */
import { attention } from "../kernels/attention/attention.ts";
import { attentionBackwardKeyValue } from "../kernels/attention/attention_backward_key_value.ts";
import { attentionBackwardQuery } from "../kernels/attention/attention_backward_query.ts";
import { attentionDelta } from "../kernels/attention/attention_delta.ts";
import { rope } from "../kernels/embedding/rope.ts";
import { ropeBackward } from "../kernels/embedding/rope_backward.ts";
import { biasBackward } from "../kernels/linear/bias_backward.ts";
import { linear } from "../kernels/linear/linear.ts";
import { linearBackwardInput } from "../kernels/linear/linear_backward_input.ts";
import {
  linearBackwardInputVec4,
  linearBackwardInputVec4Stored,
} from "../kernels/linear/linear_backward_input_vec4.ts";
import { linearBackwardWeight } from "../kernels/linear/linear_backward_weight.ts";
import { linearBackwardWeightVec4 } from "../kernels/linear/linear_backward_weight_vec4.ts";
import { linearVec4, linearVec4Stored } from "../kernels/linear/linear_vec4.ts";
import { swiglu } from "../kernels/mlp/swiglu.ts";
import { swigluBackward } from "../kernels/mlp/swiglu_backward.ts";
import { headNorm } from "../kernels/norm/head_norm.ts";
import { headNormBackward } from "../kernels/norm/head_norm_backward.ts";
import { headNormWeightBackward } from "../kernels/norm/head_norm_weight_backward.ts";
import { rmsNorm } from "../kernels/norm/rms_norm.ts";
import { rmsNormBackward } from "../kernels/norm/rms_norm_backward.ts";
import { rmsNormWeightBackward } from "../kernels/norm/rms_norm_weight_backward.ts";
import type { HalfForm } from "../kernels/stored.ts";
import { type KernelCase, kernelCase } from "./kernel_case.ts";
import { causalPairs, type ShapeSet, sequenceStarts } from "./shapes.ts";

export function linearCases(shape: ShapeSet, forms: readonly HalfForm[]): KernelCase[] {
  const { name: set, rows, width: C, mlpWidth: F, heads: H, kvHeads: K, headDim: D, decodeRows } = shape;
  const uses = {
    qkv: { outputs: (H + 2 * K) * D, inputs: C },
    gate_up: { outputs: 2 * F, inputs: C },
    down: { outputs: C, inputs: F },
  };
  const cases: KernelCase[] = [];
  for (const [use, sizes] of Object.entries(uses)) {
    const dims = { rows, ...sizes, has_bias: 0, accumulate: 0, y_stride: sizes.outputs, y_start: 0 };
    const options = { set, use };
    cases.push(
      kernelCase(linearVec4, dims, options),
      kernelCase(linearBackwardInputVec4, dims, options),
      kernelCase(linearBackwardWeightVec4, { ...dims, accumulate: 1 }, options),
    );
  }
  // The kernels for any size serve odd shapes alone, and take several times as long.
  const plain = { has_bias: 0, accumulate: 0, y_stride: uses.gate_up.outputs, y_start: 0 };
  const dims = { rows: rows / 4, ...uses.gate_up, ...plain };
  const options = { set, use: "gate_up" };
  cases.push(
    kernelCase(linearVec4, { ...dims, rows: decodeRows }, { set, use: "decode gate_up" }),
    ...forms.flatMap((form) => [
      kernelCase(linearVec4Stored(form), { ...dims, rows }, { set, use: `${form} gate_up`, halves: ["w"] }),
      kernelCase(
        linearVec4Stored(form),
        { ...dims, rows: decodeRows },
        { set, use: `${form} decode gate_up`, halves: ["w"] },
      ),
      kernelCase(
        linearBackwardInputVec4Stored(form),
        { ...dims, rows },
        { set, use: `${form} gate_up`, halves: ["w"] },
      ),
    ]),
    kernelCase(linear, dims, options),
    kernelCase(linearBackwardInput, dims, options),
    kernelCase(linearBackwardWeight, { ...dims, accumulate: 1 }, options),
    kernelCase(biasBackward, { rows, outputs: uses.qkv.outputs, accumulate: 1 }, { set }),
  );
  return cases;
}

export function attentionCases(shape: ShapeSet): KernelCase[] {
  const { name: set, rows, tokens, heads, kvHeads, headDim } = shape;
  const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim, scale: 1 / Math.sqrt(headDim) };
  const starts = sequenceStarts(rows, tokens);
  const segments = new Uint32Array(2 * rows);
  for (let n = 0; n < rows; n++) {
    const b = Math.floor(n / tokens);
    segments.set([starts[b], starts[b + 1]], 2 * n);
  }
  // A product with one key or value is 2·D operations a pair and head.
  const product = 2 * heads * headDim * causalPairs(rows, tokens);
  const options = (products: number) => ({
    set,
    contents: { segments },
    work: { flops: products * product },
  });
  return [
    kernelCase(attention(headDim), dims, options(2)),
    kernelCase(attentionDelta, dims, { set }),
    kernelCase(attentionBackwardQuery(headDim), dims, options(3)),
    kernelCase(attentionBackwardKeyValue(headDim), dims, options(4)),
  ];
}

export function normCases(shape: ShapeSet): KernelCase[] {
  const { name: set, rows, width, heads, kvHeads, headDim, decodeRows } = shape;
  const eps = 1e-5;
  const byHead = { rows, heads, kv_heads: kvHeads, head_dim: headDim };
  return [
    kernelCase(rmsNorm, { rows, width, eps }, { set }),
    kernelCase(rmsNorm, { rows: decodeRows, width, eps }, { set, use: "decode" }),
    kernelCase(rmsNormBackward, { rows, width, accumulate: 1 }, { set }),
    kernelCase(rmsNormWeightBackward, { rows, width, accumulate: 1 }, { set }),
    kernelCase(headNorm, { ...byHead, eps }, { set }),
    kernelCase(headNormBackward, byHead, { set }),
    kernelCase(headNormWeightBackward, { ...byHead, first: 0, count: heads, accumulate: 1 }, { set }),
  ];
}

export function elementCases(shape: ShapeSet): KernelCase[] {
  const { name: set, rows, tokens, mlpWidth, heads, kvHeads, headDim, capacity } = shape;
  const positions = Uint32Array.from({ length: rows }, (_, n) => n % tokens);
  const rotation = { rows, heads, kv_heads: kvHeads, head_dim: headDim, max_positions: capacity };
  return [
    kernelCase(rope, rotation, { set, contents: { positions } }),
    kernelCase(ropeBackward, rotation, { set, contents: { positions } }),
    kernelCase(swiglu, { rows, width: mlpWidth }, { set }),
    kernelCase(swigluBackward, { rows, width: mlpWidth }, { set }),
  ];
}
