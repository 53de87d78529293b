import code from "../../../shaders/probe/copy_quads.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** A plain copy by fours: measures the adapter's memory bandwidth. */
export const copyQuads = defineKernel({
  label: "copy_quads",
  code,
  params: { quads: "u32" },
  bindings: {
    x: { access: "read", length: (d) => 4 * d.quads },
    y: { access: "read_write", length: (d) => 4 * d.quads },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.quads / WORKGROUP_SIZE), 1, 1],
  flops: () => 0,
  bytes: (d) => 32 * d.quads,
});
