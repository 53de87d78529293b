import code from "../../../shaders/linear/linear_half.wgsl" with { type: "text" };
import { defineKernel } from "../../gpu/kernel.ts";
import { byHalfForm, checkFours, halfCode, halfOverride } from "../half.ts";
import { linearVec4 } from "./linear_vec4.ts";

/** `linearVec4` with weights in f16: w (O, I) takes O·I/2 words. Refuses sizes and columns not divisible by 4. */
export const linearHalf = byHalfForm((form) =>
  defineKernel({
    ...linearVec4.spec,
    label: "linear_half",
    code: halfCode(code, form),
    bindings: {
      ...linearVec4.spec.bindings,
      w: { access: "read", length: (d) => (d.outputs * d.inputs) / 2 },
    },
    overrides: { ...linearVec4.overrides, ...halfOverride(form) },
    grid: (d, overrides) => {
      const { outputs, inputs, y_stride, y_start } = d;
      checkFours("linear_half", { outputs, inputs, y_stride, y_start });
      return linearVec4.spec.grid(d, overrides);
    },
    bytes: (d) => 4 * d.rows * (d.inputs + d.outputs) + 2 * d.outputs * d.inputs,
  }),
);
