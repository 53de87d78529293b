import code from "../../../shaders/linear/linear_backward_input_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { byForm, checkFours, type StoredForm, storedCode, storedOverride, storedWords } from "../stored.ts";

const FOURS = ["outputs", "inputs"] as const;

/** dx (+)= dy·w, (N, O) × (O, I) → (N, I), with w in a form. Refuses sizes not divisible by 4. */
export const linearBackwardInputVec4Stored = byForm((form: StoredForm) =>
  defineKernel({
    label: "linear_backward_input_vec4",
    code: storedCode(code, form),
    params: { rows: "u32", outputs: "u32", inputs: "u32", accumulate: "u32" },
    bindings: {
      dy: { access: "read", length: (d) => d.rows * d.outputs },
      w: { access: "read", length: (d) => storedWords(form, d.outputs * d.inputs) },
      dx: { access: "read_write", length: (d) => d.rows * d.inputs },
    },
    overrides: { WORKGROUP_SIZE: 32, LANES_INPUT: 4, ...storedOverride(form) },
    grid: (d, { WORKGROUP_SIZE, LANES_INPUT }) => {
      checkFours("linear_backward_input_vec4", d, FOURS);
      const across = Math.ceil(d.inputs / (8 * LANES_INPUT));
      return [spread(across * Math.ceil((d.rows * LANES_INPUT) / (16 * WORKGROUP_SIZE))), 1, 1];
    },
    flops: (d) => 2 * d.rows * d.outputs * d.inputs,
    bytes: (d) => 4 * (d.rows * (d.inputs + d.outputs) + storedWords(form, d.outputs * d.inputs)),
  }),
);

/** With w in f32. */
export const linearBackwardInputVec4 = linearBackwardInputVec4Stored("f32");
