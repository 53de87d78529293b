import code from "../../../shaders/loss/sequence_ratio.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Log ratios by token and their mean by sequence; `tokens` is M, `sequences` B. */
export const sequenceRatio = defineKernel({
  label: "sequence_ratio",
  code,
  params: { sequences: "u32", tokens: "u32" },
  bindings: {
    offsets: { access: "read", length: (d) => d.sequences + 1 },
    logprob: { access: "read", length: (d) => d.tokens },
    old_logprob: { access: "read", length: (d) => d.tokens },
    weight: { access: "read", length: (d) => d.tokens },
    log_ratio: { access: "read_write", length: (d) => d.tokens },
    ratio: { access: "read_write", length: (d) => 2 * d.sequences },
  },
  // Few lanes: sequences are many, and every barrier costs a software adapter a switch of all lanes.
  overrides: { WORKGROUP_SIZE: 16 },
  grid: (d) => [spread(d.sequences), 1, 1],
  flops: (d) => 2 * d.tokens,
  bytes: (d) => 16 * d.tokens,
});
