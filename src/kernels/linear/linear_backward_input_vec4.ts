import code from "../../../shaders/linear/linear_backward_input_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** dx (+)= dy·w, (N, O) × (O, I) → (N, I), for inputs and outputs divisible by 4. */
export const linearBackwardInputVec4 = defineKernel({
  label: "linear_backward_input_vec4",
  code,
  params: { rows: "u32", outputs: "u32", inputs: "u32", accumulate: "u32" },
  bindings: {
    dy: { access: "read", length: (d) => d.rows * d.outputs },
    w: { access: "read", length: (d) => d.outputs * d.inputs },
    dx: { access: "read_write", length: (d) => d.rows * d.inputs },
  },
  overrides: { WORKGROUP_SIZE: 32, LANES_INPUT: 4 },
  grid: (d, { WORKGROUP_SIZE, LANES_INPUT }) => [
    spread(
      Math.ceil(d.inputs / (8 * LANES_INPUT)) * Math.ceil((d.rows * LANES_INPUT) / (16 * WORKGROUP_SIZE)),
    ),
    1,
    1,
  ],
  flops: (d) => 2 * d.rows * d.outputs * d.inputs,
  bytes: (d) => 4 * (d.rows * d.inputs + d.outputs * d.inputs + d.rows * d.outputs),
});
