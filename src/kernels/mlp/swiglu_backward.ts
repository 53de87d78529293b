import code from "../../../shaders/mlp/swiglu_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Gradient of `swiglu` with respect to its fused (N, 2F) input. */
export const swigluBackward = defineKernel({
  label: "swiglu_backward",
  code,
  params: { rows: "u32", width: "u32" },
  bindings: {
    gate_up: { access: "read", length: (d) => 2 * d.rows * d.width },
    dact: { access: "read", length: (d) => d.rows * d.width },
    dgate_up: { access: "read_write", length: (d) => 2 * d.rows * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread((d.rows * d.width) / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 10 * d.rows * d.width,
  bytes: (d) => 20 * d.rows * d.width,
});
