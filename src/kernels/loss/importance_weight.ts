import code from "../../../shaders/loss/importance_weight.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Truncated or masked importance weights of the trainer against the sampler, folded into the token weights. */
export const importanceWeight = defineKernel({
  label: "importance_weight",
  code,
  params: { sequences: "u32", tokens: "u32", mode: "u32", low: "f32", high: "f32" },
  bindings: {
    offsets: { access: "read", length: (d) => d.sequences + 1 },
    old_logprob: { access: "read", length: (d) => d.tokens },
    sampler_logprob: { access: "read", length: (d) => d.tokens },
    weight: { access: "read", length: (d) => d.tokens },
    importance: { access: "read_write", length: (d) => d.tokens },
    scaled_weight: { access: "read_write", length: (d) => d.tokens },
  },
  // Few lanes: sequences are many, and every barrier costs a software adapter a switch of all lanes.
  overrides: { WORKGROUP_SIZE: 16 },
  grid: (d) => [spread(d.sequences), 1, 1],
  flops: (d) => 6 * d.tokens,
  bytes: (d) => 20 * d.tokens,
});
