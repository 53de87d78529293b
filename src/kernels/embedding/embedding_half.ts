import code from "../../../shaders/embedding/embedding_half.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { byHalfForm, checkFours, halfCode, halfOverride } from "../half.ts";
import { rowGrid } from "../row_grid.ts";
import { embedding } from "./embedding.ts";

/** `embedding` from a table in f16, V·C/2 words. Refuses a width not divisible by 4. */
export const embeddingHalf = byHalfForm((form) =>
  defineKernel({
    ...embedding.spec,
    label: "embedding_half",
    code: halfCode(code, form),
    bindings: {
      ...embedding.spec.bindings,
      table: { access: "read", length: (d) => (d.vocab * d.width) / 2 },
    },
    overrides: { ...embedding.overrides, ...halfOverride(form) },
    grid: (d, { WORKGROUP_SIZE }) => {
      checkFours("embedding_half", { width: d.width });
      return rowGrid(d.rows, d.width / 4, WORKGROUP_SIZE);
    },
    bytes: (d) => 6 * d.rows * d.width,
  }),
);
