import code from "../../../shaders/linear/linear_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { byForm, checkFours, type StoredForm, storedCode, storedOverride, storedWords } from "../stored.ts";
import { LINEAR_PARAMS, linearSpan } from "./linear_params.ts";

const FOURS = ["outputs", "inputs", "y_stride", "y_start"] as const;

/** y = x·wᵀ (+ bias) (+ y), (N, I) × (O, I) → (N, O), with w in a form. Refuses sizes and columns not divisible by 4. */
export const linearVec4Stored = byForm((form: StoredForm) =>
  defineKernel({
    label: "linear_vec4",
    code: storedCode(code, form),
    params: LINEAR_PARAMS,
    bindings: {
      x: { access: "read", length: (d) => d.rows * d.inputs },
      w: { access: "read", length: (d) => storedWords(form, d.outputs * d.inputs) },
      bias: { access: "read", length: (d) => (d.has_bias ? d.outputs : 1) },
      y: { access: "read_write", length: linearSpan },
    },
    overrides: { WORKGROUP_SIZE: 32, LANES_OUTPUT: 4, ...storedOverride(form) },
    grid: (d, { WORKGROUP_SIZE, LANES_OUTPUT }) => {
      checkFours("linear_vec4", d, FOURS);
      const across = Math.ceil(d.outputs / (8 * LANES_OUTPUT));
      return [spread(across * Math.ceil((d.rows * LANES_OUTPUT) / (16 * WORKGROUP_SIZE))), 1, 1];
    },
    flops: (d) => 2 * d.rows * d.outputs * d.inputs,
    bytes: (d) => 4 * (d.rows * (d.inputs + d.outputs) + storedWords(form, d.outputs * d.inputs)),
  }),
);

/** With w in f32. */
export const linearVec4 = linearVec4Stored("f32");
