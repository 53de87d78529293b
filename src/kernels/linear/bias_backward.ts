import code from "../../../shaders/linear/bias_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** dbias (+)= Σₙ dy, (N, O) → (O). */
export const biasBackward = defineKernel({
  label: "bias_backward",
  code,
  params: { rows: "u32", outputs: "u32", accumulate: "u32" },
  bindings: {
    dy: { access: "read", length: (d) => d.rows * d.outputs },
    dbias: { access: "read_write", length: (d) => d.outputs },
  },
  overrides: { LANES_OUTPUT: 8, LANES_ROW: 8 },
  grid: (d, { LANES_OUTPUT }) => [spread(d.outputs / LANES_OUTPUT), 1, 1],
  flops: (d) => d.rows * d.outputs,
  bytes: (d) => 4 * (d.rows * d.outputs + d.outputs),
});
