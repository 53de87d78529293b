import code from "../../../shaders/embedding/embedding.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Rows of the embedding table by token id. */
export const embedding = defineKernel({
  label: "embedding",
  code,
  params: { rows: "u32", width: "u32", vocab: "u32" },
  bindings: {
    table: { access: "read", length: (d) => d.vocab * d.width },
    ids: { access: "read", length: (d) => d.rows },
    y: { access: "read_write", length: (d) => d.rows * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread((d.rows * d.width) / WORKGROUP_SIZE), 1, 1],
  flops: () => 0,
  bytes: (d) => 8 * d.rows * d.width,
});
