import code from "../../../shaders/head/head_tile_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Turns a recomputed tile of logits into the gradient of Σ grad · logprob with respect to them, in place. */
export const headTileBackward = defineKernel({
  label: "head_tile_backward",
  code,
  params: { rows: "u32", tile_width: "u32", tile_start: "u32", inverse_temperature: "f32" },
  bindings: {
    lse: { access: "read", length: (d) => d.rows },
    targets: { access: "read", length: (d) => d.rows },
    grad: { access: "read", length: (d) => d.rows },
    logits: { access: "read_write", length: (d) => d.rows * d.tile_width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread((d.rows * d.tile_width) / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 5 * d.rows * d.tile_width,
  bytes: (d) => 8 * d.rows * d.tile_width + 12 * d.rows,
});
