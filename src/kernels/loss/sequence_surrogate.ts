import code from "../../../shaders/loss/sequence_surrogate.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Clipped surrogate with one ratio per sequence and its gradient through the mean log ratio (GSPO, arXiv:2507.18071). */
export const sequenceSurrogate = defineKernel({
  label: "sequence_surrogate",
  code,
  params: { sequences: "u32", tokens: "u32", clip_low: "f32", clip_high: "f32" },
  bindings: {
    offsets: { access: "read", length: (d) => d.sequences + 1 },
    log_ratio: { access: "read", length: (d) => d.tokens },
    ratio: { access: "read", length: (d) => 2 * d.sequences },
    advantage: { access: "read", length: (d) => d.tokens },
    weight: { access: "read", length: (d) => d.tokens },
    scaled_weight: { access: "read", length: (d) => d.tokens },
    grad: { access: "read_write", length: (d) => d.tokens },
    stats: { access: "read_write", length: (d) => 4 * d.tokens },
  },
  // Few lanes: sequences are many, and every barrier costs a software adapter a switch of all lanes.
  overrides: { WORKGROUP_SIZE: 16 },
  grid: (d) => [spread(d.sequences), 1, 1],
  flops: (d) => 8 * d.tokens,
  bytes: (d) => 36 * d.tokens,
});
