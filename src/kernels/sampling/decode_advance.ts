import code from "../../../shaders/sampling/decode_advance.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/** Marks a row that is not decoding, and a place of the ring without a token. */
export const LEFT_OUT = 0xffffffff;

/** Appends sampled tokens to the ring and moves every row on or ends it, without the host. */
export const decodeAdvance = defineKernel({
  label: "decode_advance",
  code,
  params: { first_row: "u32", rows: "u32", batch: "u32", step: "u32", ends: "u32", max_tokens: "u32" },
  bindings: {
    token: { access: "read", length: (d) => d.first_row + d.rows },
    logprob: { access: "read", length: (d) => d.first_row + d.rows },
    ends: { access: "read", length: (d) => d.ends },
    ids: { access: "read_write", length: (d) => d.first_row + d.rows },
    positions: { access: "read_write", length: (d) => d.first_row + d.rows },
    entries: { access: "read_write", length: (d) => 3 * (d.first_row + d.rows) },
    produced: { access: "read_write", length: (d) => d.first_row + d.rows },
    ring: { access: "read_write", length: (d) => 2 * (d.step + 1) * d.batch },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  grid: (d, { WORKGROUP_SIZE }) => [spread(d.rows / WORKGROUP_SIZE), 1, 1],
  flops: () => 0,
  bytes: (d) => 56 * d.rows,
});
