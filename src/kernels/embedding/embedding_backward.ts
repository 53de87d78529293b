import code from "../../../shaders/embedding/embedding_backward.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";

/**
 * Gradient of the embedding table, summed in a fixed order from the lists of `embeddingPlan`. The table bound holds ids
 * `first` to `first` + `vocab` − 1 of the plan's.
 */
export const embeddingBackward = defineKernel({
  label: "embedding_backward",
  code,
  params: { vocab: "u32", width: "u32", rows: "u32", accumulate: "u32", first: "u32" },
  bindings: {
    offsets: { access: "read", length: (d) => d.first + d.vocab + 1 },
    rows: { access: "read", length: (d) => d.rows },
    dy: { access: "read", length: (d) => d.rows * d.width },
    dtable: { access: "read_write", length: (d) => d.vocab * d.width },
  },
  overrides: { WORKGROUP_SIZE: 64 },
  // A large vocabulary is mostly skipped: then one workgroup a token for all columns, so that it is skipped only once.
  grid: (d, { WORKGROUP_SIZE }) => [
    d.vocab > 4096 ? 1 : spread(d.width / WORKGROUP_SIZE),
    Math.min(1024, d.vocab),
    1,
  ],
  flops: (d) => d.rows * d.width,
  bytes: (d) => 4 * (d.rows * d.width + 2 * Math.min(d.vocab, d.rows) * d.width + d.vocab),
});
