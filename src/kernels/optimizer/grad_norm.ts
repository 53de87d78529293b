import code from "../../../shaders/optimizer/grad_norm.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";

/** Partial sums that `gradNorm` writes for `count` gradients: one a workgroup, at most 1024. */
export function gradNormPartials(count: number): number {
  return Math.min(1024, Math.ceil(count / 1024));
}

/** Sums of squares of a shard's gradients, one a workgroup; `clipCoefficient` adds them up. */
export const gradNorm = defineKernel({
  label: "grad_norm",
  code,
  params: { count: "u32", start: "u32" },
  bindings: {
    gradient: { access: "read", length: (d) => d.count },
    partials: { access: "read_write", length: (d) => d.start + gradNormPartials(d.count) },
  },
  grid: (d) => [gradNormPartials(d.count), 1, 1],
  flops: (d) => 2 * d.count,
  bytes: (d) => 4 * d.count,
});
