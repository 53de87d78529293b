import code from "../../../shaders/norm/head_norm_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Gradient of `headNorm` with respect to its input; overwrites dx. */
export const headNormBackward = defineKernel({
  label: "head_norm_backward",
  code,
  params: { rows: "u32", heads: "u32", kv_heads: "u32", head_dim: "u32" },
  bindings: {
    x: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
    q_weight: { access: "read", length: (d) => d.head_dim },
    k_weight: { access: "read", length: (d) => d.head_dim },
    rrms: { access: "read", length: (d) => d.rows * (d.heads + d.kv_heads) },
    dy: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
    dx: { access: "read_write", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread((d.rows * (d.heads + 2 * d.kv_heads)) / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 8 * d.rows * (d.heads + d.kv_heads) * d.head_dim,
  bytes: (d) => 12 * d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim,
});
