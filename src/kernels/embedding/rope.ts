import code from "../../../shaders/embedding/rope.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Rotary position embedding of queries and keys in a fused (N, H+2K, D) projection, in place (arXiv:2104.09864). */
export const rope = defineKernel({
  label: "rope",
  code,
  params: { rows: "u32", heads: "u32", kv_heads: "u32", head_dim: "u32", max_positions: "u32" },
  bindings: {
    positions: { access: "read", length: (d) => d.rows },
    table: { access: "read", length: (d) => d.max_positions * d.head_dim },
    qkv: { access: "read_write", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * d.head_dim },
  },
  overrides: { WORKGROUP_SIZE: 64, LANES_PAIR: 16 },
  grid: (d, { WORKGROUP_SIZE, LANES_PAIR }) => [spread((d.rows * LANES_PAIR) / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 3 * d.rows * (d.heads + d.kv_heads) * d.head_dim,
  bytes: (d) => 8 * d.rows * (d.heads + d.kv_heads) * d.head_dim,
});
