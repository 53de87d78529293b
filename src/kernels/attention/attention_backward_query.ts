import code from "../../../shaders/attention/attention_backward_query.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { byHeadDim, checkHeads } from "./head_size.ts";

/** Gradient of attention's queries into heads 0..H-1 of dqkv, by head size D (arXiv:2307.08691). */
export const attentionBackwardQuery = byHeadDim((D) =>
  defineKernel({
    label: "attention_backward_query",
    code,
    params: { rows: "u32", heads: "u32", kv_heads: "u32", head_dim: "u32", scale: "f32" },
    bindings: {
      qkv: { access: "read", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * D },
      segments: { access: "read", length: (d) => 2 * d.rows },
      dout: { access: "read", length: (d) => d.rows * d.heads * D },
      lse: { access: "read", length: (d) => d.rows * d.heads },
      delta: { access: "read", length: (d) => d.rows * d.heads },
      dqkv: { access: "read_write", length: (d) => d.rows * (d.heads + 2 * d.kv_heads) * D },
    },
    overrides: { QUADS: D > 16 ? 8 : 4, WORKGROUP_SIZE: 32 },
    grid: (d, { QUADS, WORKGROUP_SIZE }) => {
      checkHeads(d, D);
      return [spread(d.rows / (2 * WORKGROUP_SIZE)), d.heads, Math.ceil(D / (4 * QUADS))];
    },
    // The lengths of the sequences are not known here: counted as if all had 64 tokens.
    flops: (d) => 6 * d.rows * d.heads * D * Math.min(32, d.rows / 2),
    bytes: (d) => 4 * d.rows * ((3 * d.heads + 2 * d.kv_heads) * D + 2 * d.heads + 2),
  }),
);
