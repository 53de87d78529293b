import code from "../../../shaders/linear/linear_backward_input_half.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { byHalfForm, checkFours, halfCode, halfOverride } from "../half.ts";
import { linearBackwardInputVec4 } from "./linear_backward_input_vec4.ts";

/** `linearBackwardInputVec4` with weights in f16: w (O, I) takes O·I/2 words. Refuses sizes not divisible by 4. */
export const linearBackwardInputHalf = byHalfForm((form) =>
  defineKernel({
    ...linearBackwardInputVec4.spec,
    label: "linear_backward_input_half",
    code: halfCode(code, form),
    bindings: {
      ...linearBackwardInputVec4.spec.bindings,
      w: { access: "read", length: (d) => (d.outputs * d.inputs) / 2 },
    },
    overrides: { ...linearBackwardInputVec4.overrides, ...halfOverride(form) },
    grid: (d, overrides) => {
      checkFours("linear_backward_input_half", { outputs: d.outputs, inputs: d.inputs });
      return linearBackwardInputVec4.spec.grid(d, overrides);
    },
    bytes: (d) => 4 * d.rows * (d.inputs + d.outputs) + 2 * d.outputs * d.inputs,
  }),
);
