import code from "../../../shaders/norm/head_norm_weight_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Gradient of `headNorm` with respect to the weight of `count` heads from `first` on, written or added, in a fixed order. */
export const headNormWeightBackward = defineKernel({
  label: "head_norm_weight_backward",
  code,
  params: {
    rows: "u32",
    heads: "u32",
    kv_heads: "u32",
    head_dim: "u32",
    first: "u32",
    count: "u32",
    accumulate: "u32",
  },
  bindings: {
    x: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
    rrms: { access: "read", length: (d) => d.rows * (d.heads + d.kv_heads) },
    dy: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
    dweight: { access: "read_write", length: (d) => d.head_dim },
  },
  overrides: { LANES_COLUMN: 8, LANES_ROW: 8 },
  grid: (d, { LANES_COLUMN }) => [spread(d.head_dim / LANES_COLUMN), 1, 1],
  flops: (d) => 3 * d.rows * d.count * d.head_dim,
  bytes: (d) => 8 * d.rows * d.count * d.head_dim,
});
