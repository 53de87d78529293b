import code from "../../../shaders/sampling/sample.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/**
 * Draws one token per row from its logits after temperature, top-k, top-p and min-p, keyed by seed, rollout id and
 * completion index. `draws` (B, 4): logits row, rollout id low and high word, completion index; `sampled` (B, 4): token,
 * log-probability, entropy (as f32 bits), flags. Rows whose logits row is out of range draw nothing.
 */
export const sample = defineKernel({
  label: "sample",
  code,
  params: {
    rows: "u32",
    logit_rows: "u32",
    vocab: "u32",
    seed_low: "u32",
    seed_high: "u32",
    /** 0: off. */
    top_k: "u32",
    /** 1: off. */
    top_p: "f32",
    /** 0: off. */
    min_p: "f32",
    /** 0: the largest logit. */
    inverse_temperature: "f32",
  },
  bindings: {
    logits: { access: "read", length: (d) => d.logit_rows * d.vocab },
    draws: { access: "read", length: (d) => 4 * d.rows },
    sampled: { access: "read_write", length: (d) => 4 * d.rows },
  },
  // Fewer lanes suit small vocabularies, 256 large ones.
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d) => [spread(d.rows), 1, 1],
  flops: (d) => d.rows * d.vocab * (4 + (d.top_k > 0 ? 32 : 0) + (d.top_p < 1 ? 64 : 0)),
  bytes: (d) => 4 * d.rows * (2 * d.vocab + 8),
});
