import code from "../../../shaders/loss/reference_kl.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Adds β times the k3 divergence from a frozen reference to a loss and its gradient (arXiv:2402.03300). */
export const referenceKl = defineKernel({
  label: "reference_kl",
  code,
  params: { tokens: "u32", beta: "f32", corrected: "u32" },
  bindings: {
    logprob: { access: "read", length: (d) => d.tokens },
    old_logprob: { access: "read", length: (d) => d.tokens },
    ref_logprob: { access: "read", length: (d) => d.tokens },
    weight: { access: "read", length: (d) => d.tokens },
    grad: { access: "read_write", length: (d) => d.tokens },
    stats: { access: "read_write", length: (d) => 4 * d.tokens },
    kl: { access: "read_write", length: (d) => d.tokens },
  },
  grid: (d, overrides) => [spread(d.tokens / (overrides.WORKGROUP_SIZE ?? 64)), 1, 1],
  flops: (d) => 14 * d.tokens,
  bytes: (d) => 60 * d.tokens,
});
