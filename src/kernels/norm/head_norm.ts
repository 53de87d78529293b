import code from "../../../shaders/norm/head_norm.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** RMS norm of every query and key head of a fused (N, H+2K, D) row, values copied (Qwen3, arXiv:2505.09388). */
export const headNorm = defineKernel({
  label: "head_norm",
  code,
  params: { rows: "u32", heads: "u32", kv_heads: "u32", head_dim: "u32", eps: "f32" },
  bindings: {
    x: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
    q_weight: { access: "read", length: (d) => d.head_dim },
    k_weight: { access: "read", length: (d) => d.head_dim },
    y: { access: "read_write", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
    rrms: { access: "read_write", length: (d) => d.rows * (d.heads + d.kv_heads) },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread((d.rows * (d.heads + 2 * d.kv_heads)) / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 4 * d.rows * (d.heads + d.kv_heads) * d.head_dim,
  bytes: (d) => 8 * d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim,
});
