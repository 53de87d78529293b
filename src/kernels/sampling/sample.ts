import code from "../../../shaders/sampling/sample.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Draws the next token of every row, exactly, from the filtered distribution, and gives its log-probability there. */
export const sample = defineKernel({
  label: "sample",
  code,
  params: {
    first_row: "u32",
    rows: "u32",
    logit_rows: "u32",
    vocab: "u32",
    seed: "u32",
    top_k: "u32",
    top_p: "f32",
    min_p: "f32",
    inverse_temperature: "f32",
  },
  bindings: {
    logits: { access: "read", length: (d) => d.logit_rows * d.vocab },
    entries: { access: "read", length: (d) => 3 * (d.first_row + d.rows) },
    produced: { access: "read", length: (d) => d.first_row + d.rows },
    rollouts: { access: "read", length: (d) => d.first_row + d.rows },
    token: { access: "read_write", length: (d) => d.first_row + d.rows },
    logprob: { access: "read_write", length: (d) => d.first_row + d.rows },
  },
  grid: (d) => [spread(d.rows), 1, 1],
  flops: (d) => 8 * d.rows * d.vocab,
  bytes: (d) => 4 * d.rows * d.vocab,
});
