import code from "../../../shaders/linear/linear_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { LINEAR_PARAMS, linearSpan } from "./linear_params.ts";

/** y = x·wᵀ (+ bias) (+ y), (N, I) × (O, I) → (N, O), for inputs, outputs and columns of y divisible by 4. */
export const linearVec4 = defineKernel({
  label: "linear_vec4",
  code,
  params: LINEAR_PARAMS,
  bindings: {
    x: { access: "read", length: (d) => d.rows * d.inputs },
    w: { access: "read", length: (d) => d.outputs * d.inputs },
    bias: { access: "read", length: (d) => (d.has_bias ? d.outputs : 1) },
    y: { access: "read_write", length: linearSpan },
  },
  overrides: { WORKGROUP_SIZE: 32, LANES_OUTPUT: 4 },
  grid: (d, { WORKGROUP_SIZE, LANES_OUTPUT }) => [
    spread(
      Math.ceil(d.outputs / (8 * LANES_OUTPUT)) * Math.ceil((d.rows * LANES_OUTPUT) / (16 * WORKGROUP_SIZE)),
    ),
    1,
    1,
  ],
  flops: (d) => 2 * d.rows * d.outputs * d.inputs,
  bytes: (d) => 4 * (d.rows * d.inputs + d.outputs * d.inputs + d.rows * d.outputs),
});
