import code from "../../../shaders/embedding/scatter_rows.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { rowGrid } from "../row_grid.ts";

/** Adds rows to distinct rows of another tensor: the backward pass of `gatherRows`. */
export const scatterRows = defineKernel({
  label: "scatter_rows",
  code,
  params: { rows: "u32", width: "u32", target_rows: "u32" },
  bindings: {
    x: { access: "read", length: (d) => d.rows * d.width },
    index: { access: "read", length: (d) => d.rows },
    y: { access: "read_write", length: (d) => d.target_rows * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => rowGrid(d.rows, d.width, WORKGROUP_SIZE),
  flops: (d) => d.rows * d.width,
  bytes: (d) => 12 * d.rows * d.width,
});
