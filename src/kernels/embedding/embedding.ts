import code from "../../../shaders/embedding/embedding.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { rowGrid } from "../row_grid.ts";

/**
 * Rows of the embedding table by token id. The table bound holds ids `first` to `first` + `vocab` − 1; rows of y whose id
 * is another are not written, so that a table in several parts takes a dispatch each.
 */
export const embedding = defineKernel({
  label: "embedding",
  code,
  params: { rows: "u32", width: "u32", vocab: "u32", first: "u32" },
  bindings: {
    table: { access: "read", length: (d) => d.vocab * d.width },
    ids: { access: "read", length: (d) => d.rows },
    y: { access: "read_write", length: (d) => d.rows * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => rowGrid(d.rows, d.width, WORKGROUP_SIZE),
  flops: () => 0,
  bytes: (d) => 8 * d.rows * d.width,
});
