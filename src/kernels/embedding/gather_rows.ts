import code from "../../../shaders/embedding/gather_rows.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { rowGrid } from "../row_grid.ts";

/** Selected rows side by side. */
export const gatherRows = defineKernel({
  label: "gather_rows",
  code,
  params: { rows: "u32", width: "u32", source_rows: "u32" },
  bindings: {
    x: { access: "read", length: (d) => d.source_rows * d.width },
    index: { access: "read", length: (d) => d.rows },
    y: { access: "read_write", length: (d) => d.rows * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => rowGrid(d.rows, d.width, WORKGROUP_SIZE),
  flops: () => 0,
  bytes: (d) => 8 * d.rows * d.width,
});
