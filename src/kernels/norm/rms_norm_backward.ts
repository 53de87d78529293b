import code from "../../../shaders/norm/rms_norm_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Gradient of `rmsNorm` with respect to its input, written or added. */
export const rmsNormBackward = defineKernel({
  label: "rms_norm_backward",
  code,
  params: { rows: "u32", width: "u32", accumulate: "u32" },
  bindings: {
    x: { access: "read", length: (d) => d.rows * d.width },
    weight: { access: "read", length: (d) => d.width },
    rrms: { access: "read", length: (d) => d.rows },
    dy: { access: "read", length: (d) => d.rows * d.width },
    dx: { access: "read_write", length: (d) => d.rows * d.width },
  },
  overrides: { LANES_COLUMN: 8, LANES_ROW: 8 },
  grid: (d, { LANES_ROW }) => [spread(d.rows / LANES_ROW), 1, 1],
  flops: (d) => 8 * d.rows * d.width,
  bytes: (d) => 4 * (5 * d.rows * d.width + d.width + d.rows),
});
