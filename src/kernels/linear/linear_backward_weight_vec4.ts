import code from "../../../shaders/linear/linear_backward_weight_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** dw (+)= dyᵀ·x, (N, O) × (N, I) → (O, I), for inputs and outputs divisible by 4. */
export const linearBackwardWeightVec4 = defineKernel({
  label: "linear_backward_weight_vec4",
  code,
  params: { rows: "u32", outputs: "u32", inputs: "u32", accumulate: "u32" },
  bindings: {
    dy: { access: "read", length: (d) => d.rows * d.outputs },
    x: { access: "read", length: (d) => d.rows * d.inputs },
    dw: { access: "read_write", length: (d) => d.outputs * d.inputs },
  },
  overrides: { WORKGROUP_SIZE: 32, LANES_INPUT: 4 },
  grid: (d, { WORKGROUP_SIZE, LANES_INPUT }) => [
    spread(
      Math.ceil(d.inputs / (8 * LANES_INPUT)) * Math.ceil((d.outputs * LANES_INPUT) / (8 * WORKGROUP_SIZE)),
    ),
    1,
    1,
  ],
  flops: (d) => 2 * d.rows * d.outputs * d.inputs,
  bytes: (d) => 4 * (d.rows * d.inputs + d.outputs * d.inputs + d.rows * d.outputs),
});
