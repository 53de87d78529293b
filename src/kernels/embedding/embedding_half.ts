import code from "../../../shaders/embedding/embedding_half.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { rowGrid } from "../row_grid.ts";
import { byForm, checkFours, type HalfForm, storedCode, storedOverride, storedWords } from "../stored.ts";
import { embedding } from "./embedding.ts";

const FOURS = ["width"] as const;

/** `embedding` from a table in f16, V·C/2 words. Refuses a width not divisible by 4. */
export const embeddingHalf = byForm((form: HalfForm) =>
  defineKernel({
    ...embedding.spec,
    label: "embedding_half",
    code: storedCode(code, form),
    bindings: {
      ...embedding.spec.bindings,
      table: { access: "read", length: (d) => storedWords(form, d.vocab * d.width) },
    },
    overrides: { ...embedding.overrides, ...storedOverride(form) },
    grid: (d, { WORKGROUP_SIZE }) => {
      checkFours("embedding_half", d, FOURS);
      return rowGrid(d.rows, d.width / 4, WORKGROUP_SIZE);
    },
    bytes: (d) => 6 * d.rows * d.width,
  }),
);
