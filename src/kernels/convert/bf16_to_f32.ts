import code from "../../../shaders/convert/bf16_to_f32.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Widens bf16, two to a word, to f32. */
export const bf16ToF32 = defineKernel({
  label: "bf16_to_f32",
  code,
  params: { count: "u32" },
  bindings: {
    packed: { access: "read", length: (d) => Math.ceil(d.count / 2) },
    y: { access: "read_write", length: (d) => d.count },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.count / 2 / WORKGROUP_SIZE), 1, 1],
  flops: () => 0,
  bytes: (d) => 6 * d.count,
});
