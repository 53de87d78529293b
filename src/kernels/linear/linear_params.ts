/** What the forward linear kernels take. */
import type { Dims } from "../../gpu/kernel.ts";

/** Result o of row n lies at n · y_stride + y_start + o of y; `has_bias` and `accumulate` are 0 or 1. */
export const LINEAR_PARAMS = {
  rows: "u32",
  outputs: "u32",
  inputs: "u32",
  has_bias: "u32",
  accumulate: "u32",
  y_stride: "u32",
  y_start: "u32",
} as const;

export type LinearDims = Dims<keyof typeof LINEAR_PARAMS>;

/** Elements of y up to the last that is written. */
export function linearSpan({ rows, outputs, y_stride, y_start }: LinearDims): number {
  return rows > 0 ? (rows - 1) * y_stride + y_start + outputs : 0;
}
