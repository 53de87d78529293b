import code from "../../../shaders/probe/multiply_add.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Multiply-adds in registers, eight independent chains a row: measures the adapter's arithmetic peak. */
export const multiplyAdd = defineKernel({
  label: "multiply_add",
  code,
  params: { rows: "u32", rounds: "u32", factor: "f32", addend: "f32" },
  bindings: { x: { access: "read_write", length: (d) => 8 * d.rows } },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.rows / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 128 * d.rows * d.rounds,
  bytes: (d) => 64 * d.rows,
});
