import code from "../../../shaders/head/head_finish.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Log-probability of the target, entropy and log-sum-exp of each row, once every tile was folded in. */
export const headFinish = defineKernel({
  label: "head_finish",
  code,
  params: { rows: "u32" },
  bindings: {
    state: { access: "read", length: (d) => 4 * d.rows },
    logprob: { access: "read_write", length: (d) => d.rows },
    entropy: { access: "read_write", length: (d) => d.rows },
    lse: { access: "read_write", length: (d) => d.rows },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.rows / WORKGROUP_SIZE), 1, 1],
  flops: (d) => 8 * d.rows,
  bytes: (d) => 28 * d.rows,
});
