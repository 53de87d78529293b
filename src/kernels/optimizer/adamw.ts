import code from "../../../shaders/optimizer/adamw.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** One AdamW step over a flat range of parameters, clipping by the coefficient on the GPU (arXiv:1711.05101). */
export const adamw = defineKernel({
  label: "adamw",
  code,
  params: {
    count: "u32",
    learning_rate: "f32",
    beta1: "f32",
    beta2: "f32",
    eps: "f32",
    weight_decay: "f32",
    correction1: "f32",
    correction2: "f32",
  },
  bindings: {
    gradient: { access: "read", length: (d) => d.count },
    norm: { access: "read", length: () => 2 },
    parameter: { access: "read_write", length: (d) => d.count },
    first_moment: { access: "read_write", length: (d) => d.count },
    second_moment: { access: "read_write", length: (d) => d.count },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.count / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 14 * d.count,
  bytes: (d) => 28 * d.count,
});
