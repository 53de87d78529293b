import code from "../../../shaders/loss/sequence_stats.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Reduces per-token statistics to 16 numbers a sequence, written from row `first` of the summary on. */
export const sequenceStats = defineKernel({
  label: "sequence_stats",
  code,
  params: { sequences: "u32", tokens: "u32", first: "u32", has_kl: "u32", has_importance: "u32" },
  bindings: {
    offsets: { access: "read", length: (d) => d.sequences + 1 },
    weight: { access: "read", length: (d) => d.tokens },
    stats: { access: "read", length: (d) => 4 * d.tokens },
    kl: { access: "read", length: (d) => d.tokens },
    importance: { access: "read", length: (d) => d.tokens },
    entropy: { access: "read", length: (d) => d.tokens },
    summary: { access: "read_write", length: (d) => 16 * (d.first + d.sequences) },
  },
  // Few lanes: sequences are many, and every barrier costs a software adapter a switch of all lanes.
  overrides: { WORKGROUP_SIZE: 16 },
  grid: (d) => [spread(d.sequences), 1, 1],
  flops: (d) => 20 * d.tokens,
  bytes: (d) => 32 * d.tokens,
});
