import code from "../../../shaders/mlp/swiglu_backward.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { rowGrid } from "../row_grid.ts";

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
  grid: (d, { WORKGROUP_SIZE }) => rowGrid(d.rows, d.width, WORKGROUP_SIZE),
  flops: (d) => 10 * d.rows * d.width,
  bytes: (d) => 20 * d.rows * d.width,
});
