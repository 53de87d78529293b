/**
 * Linear layers, forward and backward: picks the kernel for shape and precision; operands are read in place. What one
 * dispatch would take too long for is cut between rows, so that a recorder may submit in between.
 */
import { type BufferView, viewFrom } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { AnyKernel } from "../gpu/kernel.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { linear } from "../kernels/linear/linear.ts";
import { linearBackwardInput } from "../kernels/linear/linear_backward_input.ts";
import {
  linearBackwardInputVec4,
  linearBackwardInputVec4Stored,
} from "../kernels/linear/linear_backward_input_vec4.ts";
import { linearBackwardWeight } from "../kernels/linear/linear_backward_weight.ts";
import { linearBackwardWeightVec4 } from "../kernels/linear/linear_backward_weight_vec4.ts";
import { linearVec4, linearVec4Stored } from "../kernels/linear/linear_vec4.ts";
import type { MatrixPrecision, WeightView } from "./parameters.ts";

export interface LinearDims {
  /** N */
  rows: number;
  /** Width of y. */
  outputs: number;
  /** Width of x. */
  inputs: number;
}

/** Rows are cut at multiples of this, whose bytes are always a multiple of a binding's alignment. */
const ROW_ALIGNMENT = 64;

/**
 * Operations of one dispatch of `encodeLinearBackwardWeight`, at most. The same on every adapter, unlike the limit of a
 * submit: how many partial sums a gradient has must not depend on a measured rate.
 */
const GRADIENT_FLOPS = 2e10;

/** All kernels that the functions below may pick for matrices of a precision. */
export function linearKernels(gpu: Gpu, precision: MatrixPrecision): AnyKernel[] {
  const always = [
    linear,
    linearVec4,
    linearBackwardInput,
    linearBackwardInputVec4,
    linearBackwardWeight,
    linearBackwardWeightVec4,
  ];
  if (precision === "f32") return always;
  return [...always, linearVec4Stored(gpu.halfForm), linearBackwardInputVec4Stored(gpu.halfForm)];
}

function divisible({ outputs, inputs }: LinearDims): boolean {
  return outputs % 4 === 0 && inputs % 4 === 0;
}

/** A weight, or any other matrix in f32. */
type Matrix = BufferView & Partial<Pick<WeightView, "precision">>;

export interface LinearViews {
  x: BufferView;
  weight: Matrix;
  bias: BufferView | null;
  y: BufferView;
  accumulate?: boolean;
  /** Row n of y starts at n · yStride + yStart; by default at n · outputs. Parts of a matrix fill their columns of one y. */
  yStride?: number;
  yStart?: number;
}

/** y (N, outputs) = x (N, inputs) · weightᵀ + bias, or added to y. */
export function encodeLinear(recorder: Recorder, views: LinearViews, dims: LinearDims): void {
  const { x, weight: w, bias, y, accumulate, yStride = dims.outputs, yStart = 0 } = views;
  const quads = divisible(dims) && yStride % 4 === 0 && yStart % 4 === 0;
  const { gpu } = recorder;
  const kernel = w.precision === "f16" ? linearVec4Stored(gpu.halfForm) : quads ? linearVec4 : linear;
  const flags = { has_bias: bias ? 1 : 0, accumulate: accumulate ? 1 : 0 };
  for (const { start, rows } of rowChunks(dims, gpu.maxFlopsPerSubmit)) {
    kernel.encode(
      recorder,
      {
        x: viewFrom(x, start * dims.inputs),
        w,
        bias: bias ?? w,
        y: viewFrom(y, start * yStride),
      },
      { ...dims, rows, ...flags, y_stride: yStride, y_start: yStart },
    );
  }
}

/** dx (N, inputs) = dy (N, outputs) · weight, or added to dx. */
export function encodeLinearBackwardInput(
  recorder: Recorder,
  views: { dy: BufferView; weight: Matrix; dx: BufferView; accumulate?: boolean },
  dims: LinearDims,
): void {
  const { dy, weight: w, dx, accumulate } = views;
  const { gpu } = recorder;
  const exact = divisible(dims) ? linearBackwardInputVec4 : linearBackwardInput;
  const kernel = w.precision === "f16" ? linearBackwardInputVec4Stored(gpu.halfForm) : exact;
  for (const { start, rows } of rowChunks(dims, gpu.maxFlopsPerSubmit)) {
    kernel.encode(
      recorder,
      {
        dy: viewFrom(dy, start * dims.outputs),
        w,
        dx: viewFrom(dx, start * dims.inputs),
      },
      { ...dims, rows, accumulate: accumulate ? 1 : 0 },
    );
  }
}

/** dweight (outputs, inputs) += dyᵀ · x. */
export function encodeLinearBackwardWeight(
  recorder: Recorder,
  views: { dy: BufferView; x: BufferView; dweight: BufferView },
  dims: LinearDims,
): void {
  const kernel = divisible(dims) ? linearBackwardWeightVec4 : linearBackwardWeight;
  for (const { start, rows } of rowChunks(dims, GRADIENT_FLOPS)) {
    kernel.encode(
      recorder,
      {
        dy: viewFrom(views.dy, start * dims.outputs),
        x: viewFrom(views.x, start * dims.inputs),
        dw: views.dweight,
      },
      { ...dims, rows, accumulate: 1 },
    );
  }
}

/** Rows by dispatch: all at once where they take at most `flops` operations. */
export function rowChunks(
  { rows, outputs, inputs }: LinearDims,
  flops: number,
): { start: number; rows: number }[] {
  const perRow = 2 * outputs * inputs;
  if (rows * perRow <= flops || rows <= ROW_ALIGNMENT) return [{ start: 0, rows }];
  const fitting = Math.max(1, Math.floor(flops / perRow / ROW_ALIGNMENT)) * ROW_ALIGNMENT;
  return Array.from({ length: Math.ceil(rows / fitting) }, (_, i) => ({
    start: i * fitting,
    rows: Math.min(fitting, rows - i * fitting),
  }));
}
