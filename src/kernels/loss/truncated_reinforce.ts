import code from "../../../shaders/loss/truncated_reinforce.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** REINFORCE with the ratio as a bounded constant factor (CISPO, truncated importance weights) and its gradient. */
export const truncatedReinforce = defineKernel({
  label: "truncated_reinforce",
  code,
  params: { tokens: "u32", clip_low: "f32", clip_high: "f32" },
  bindings: {
    logprob: { access: "read", length: (d) => d.tokens },
    old_logprob: { access: "read", length: (d) => d.tokens },
    advantage: { access: "read", length: (d) => d.tokens },
    weight: { access: "read", length: (d) => d.tokens },
    grad: { access: "read_write", length: (d) => d.tokens },
    stats: { access: "read_write", length: (d) => 4 * d.tokens },
  },
  grid: (d, overrides) => [spread(d.tokens / (overrides.WORKGROUP_SIZE ?? 64)), 1, 1],
  flops: (d) => 8 * d.tokens,
  bytes: (d) => 36 * d.tokens,
});
