import code from "../../../shaders/attention/attention_delta.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { checkQuads } from "./head_size.ts";

/** Row sums of dout · out, which the softmax's backward pass subtracts (arXiv:2307.08691). */
export const attentionDelta = defineKernel({
  label: "attention_delta",
  code,
  params: { rows: "u32", heads: "u32", head_dim: "u32" },
  bindings: {
    dout: { access: "read", length: (d) => d.rows * d.heads * d.head_dim },
    out: { access: "read", length: (d) => d.rows * d.heads * d.head_dim },
    delta: { access: "read_write", length: (d) => d.rows * d.heads },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => {
    checkQuads("attention_delta", d.head_dim);
    return [spread((d.rows * d.heads) / WORKGROUP_SIZE), 1, 1];
  },
  flops: (d) => 2 * d.rows * d.heads * d.head_dim,
  bytes: (d) => 4 * d.rows * d.heads * (2 * d.head_dim + 1),
});
