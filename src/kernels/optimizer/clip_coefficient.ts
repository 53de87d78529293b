import code from "../../../shaders/optimizer/clip_coefficient.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";

/** The global gradient norm and torch's clip coefficient, from the partial sums of `gradNorm` (arXiv:1211.5063). */
export const clipCoefficient = defineKernel({
  label: "clip_coefficient",
  code,
  params: { count: "u32", max_norm: "f32" },
  bindings: {
    partials: { access: "read", length: (d) => d.count },
    norm: { access: "read_write", length: () => 2 },
  },
  grid: () => [1, 1, 1],
  flops: (d) => d.count,
  bytes: (d) => 4 * d.count + 8,
});
