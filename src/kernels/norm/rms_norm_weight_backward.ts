import code from "../../../shaders/norm/rms_norm_weight_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Gradient of `rmsNorm` with respect to its weight, written or added, summed in a fixed order. */
export const rmsNormWeightBackward = defineKernel({
  label: "rms_norm_weight_backward",
  code,
  params: { rows: "u32", width: "u32", accumulate: "u32" },
  bindings: {
    x: { access: "read", length: (d) => d.rows * d.width },
    rrms: { access: "read", length: (d) => d.rows },
    dy: { access: "read", length: (d) => d.rows * d.width },
    dweight: { access: "read_write", length: (d) => d.width },
  },
  overrides: { LANES_COLUMN: 8 },
  grid: (d, { LANES_COLUMN }) => [spread(d.width / LANES_COLUMN), 1, 1],
  flops: (d) => 3 * d.rows * d.width,
  bytes: (d) => 4 * (2 * d.rows * d.width + d.rows + d.width),
});
