/** Linear layers, forward and backward: picks the kernel for the shape; operands are read in place. */
import type { BufferView } from "../gpu/buffer.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { linear } from "../kernels/linear/linear.ts";
import { linearBackwardInput } from "../kernels/linear/linear_backward_input.ts";
import { linearBackwardInputVec4 } from "../kernels/linear/linear_backward_input_vec4.ts";
import { linearBackwardWeight } from "../kernels/linear/linear_backward_weight.ts";
import { linearBackwardWeightVec4 } from "../kernels/linear/linear_backward_weight_vec4.ts";
import { linearVec4 } from "../kernels/linear/linear_vec4.ts";

export interface LinearDims {
  /** N */
  rows: number;
  /** Width of y. */
  outputs: number;
  /** Width of x. */
  inputs: number;
}

/** All kernels that the functions below may pick. */
export const LINEAR_KERNELS = [
  linear,
  linearVec4,
  linearBackwardInput,
  linearBackwardInputVec4,
  linearBackwardWeight,
  linearBackwardWeightVec4,
];

function divisible({ outputs, inputs }: LinearDims): boolean {
  return outputs % 4 === 0 && inputs % 4 === 0;
}

/**
 * y (N, outputs) = x (N, inputs) · weightᵀ + bias, or added to y. Row n of y starts at n · `yStride` + `yStart` (by
 * default n · outputs), so that each part of a matrix that is split by rows fills its columns of one y.
 */
export function encodeLinear(
  recorder: Recorder,
  views: {
    x: BufferView;
    weight: BufferView;
    bias: BufferView | null;
    y: BufferView;
    accumulate?: boolean;
    yStride?: number;
    yStart?: number;
  },
  dims: LinearDims,
): void {
  const { x, weight: w, bias, y, accumulate, yStride = dims.outputs, yStart = 0 } = views;
  const kernel = divisible(dims) && yStride % 4 === 0 && yStart % 4 === 0 ? linearVec4 : linear;
  kernel.encode(
    recorder,
    { x, w, bias: bias ?? w, y },
    { ...dims, has_bias: bias ? 1 : 0, accumulate: accumulate ? 1 : 0, y_stride: yStride, y_start: yStart },
  );
}

/** dx (N, inputs) = dy (N, outputs) · weight, or added to dx. */
export function encodeLinearBackwardInput(
  recorder: Recorder,
  views: { dy: BufferView; weight: BufferView; dx: BufferView; accumulate?: boolean },
  dims: LinearDims,
): void {
  const { dy, weight: w, dx, accumulate } = views;
  const kernel = divisible(dims) ? linearBackwardInputVec4 : linearBackwardInput;
  kernel.encode(recorder, { dy, w, dx }, { ...dims, accumulate: accumulate ? 1 : 0 });
}

/** dweight (outputs, inputs) += dyᵀ · x. */
export function encodeLinearBackwardWeight(
  recorder: Recorder,
  views: { dy: BufferView; x: BufferView; dweight: BufferView },
  dims: LinearDims,
): void {
  const kernel = divisible(dims) ? linearBackwardWeightVec4 : linearBackwardWeight;
  kernel.encode(recorder, { dy: views.dy, x: views.x, dw: views.dweight }, { ...dims, accumulate: 1 });
}
