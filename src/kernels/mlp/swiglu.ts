import code from "../../../shaders/mlp/swiglu.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { rowGrid } from "../row_grid.ts";

/** The gated activation of the MLP on a fused (N, 2F) projection (arXiv:2002.05202). */
export const swiglu = defineKernel({
  label: "swiglu",
  code,
  params: { rows: "u32", width: "u32" },
  bindings: {
    gate_up: { access: "read", length: (d) => 2 * d.rows * d.width },
    act: { access: "read_write", length: (d) => d.rows * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => rowGrid(d.rows, d.width, WORKGROUP_SIZE),
  flops: (d) => 5 * d.rows * d.width,
  bytes: (d) => 12 * d.rows * d.width,
});
