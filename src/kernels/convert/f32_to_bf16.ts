import code from "../../../shaders/convert/f32_to_bf16.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Rounds f32 to bf16, two to a word, ties to even. */
export const f32ToBf16 = defineKernel({
  label: "f32_to_bf16",
  code,
  params: { count: "u32" },
  bindings: {
    x: { access: "read", length: (d) => d.count },
    packed: { access: "read_write", length: (d) => Math.ceil(d.count / 2) },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.count / 2 / WORKGROUP_SIZE), 1, 1],
  flops: () => 0,
  bytes: (d) => 6 * d.count,
});
