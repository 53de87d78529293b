import code from "../../../shaders/norm/rms_norm.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Root-mean-square normalisation of each row, keeping the reciprocal root for the backward pass (arXiv:1910.07467). */
export const rmsNorm = defineKernel({
  label: "rms_norm",
  code,
  params: { rows: "u32", width: "u32", eps: "f32" },
  bindings: {
    x: { access: "read", length: (d) => d.rows * d.width },
    weight: { access: "read", length: (d) => d.width },
    y: { access: "read_write", length: (d) => d.rows * d.width },
    rrms: { access: "read_write", length: (d) => d.rows },
  },
  overrides: { LANES_COLUMN: 8, LANES_ROW: 8 },
  grid: (d, { LANES_ROW }) => [spread(d.rows / LANES_ROW), 1, 1],
  flops: (d) => 4 * d.rows * d.width,
  bytes: (d) => 4 * (3 * d.rows * d.width + d.width + d.rows),
});
