import code from "../../../shaders/loss/clipped_surrogate.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Token-level clipped surrogate and its gradient (arXiv:1707.06347), with separate bounds and an optional cap on the ratio. */
export const clippedSurrogate = defineKernel({
  label: "clipped_surrogate",
  code,
  params: { tokens: "u32", clip_low: "f32", clip_high: "f32", ratio_cap: "f32" },
  bindings: {
    logprob: { access: "read", length: (d) => d.tokens },
    old_logprob: { access: "read", length: (d) => d.tokens },
    advantage: { access: "read", length: (d) => d.tokens },
    weight: { access: "read", length: (d) => d.tokens },
    grad: { access: "read_write", length: (d) => d.tokens },
    stats: { access: "read_write", length: (d) => 4 * d.tokens },
  },
  grid: (d, overrides) => [spread(d.tokens / (overrides.WORKGROUP_SIZE ?? 64)), 1, 1],
  flops: (d) => 12 * d.tokens,
  bytes: (d) => 36 * d.tokens,
});
