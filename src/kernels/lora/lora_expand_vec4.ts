import code from "../../../shaders/lora/lora_expand_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { fusedModules, totalWidth, widest } from "./fused_modules.ts";

/** y += scale · hidden·bᵀ for each module of a fused layer (arXiv:2106.09685), for rank, starts, widths and y_stride divisible by 4. */
export const loraExpandVec4 = defineKernel({
  label: "lora_expand_vec4",
  code,
  params: fusedModules,
  bindings: {
    hidden: { access: "read", length: (d) => d.rows * d.modules * d.rank },
    b: { access: "read", length: (d) => totalWidth(d) * d.rank },
    y: { access: "read_write", length: (d) => d.rows * d.y_stride },
  },
  overrides: { WORKGROUP_SIZE: 32, LANES_OUTPUT: 8 },
  grid: (d, { WORKGROUP_SIZE, LANES_OUTPUT }) => [
    spread(
      Math.ceil(widest(d) / (4 * LANES_OUTPUT)) * Math.ceil((d.rows * LANES_OUTPUT) / (8 * WORKGROUP_SIZE)),
    ),
    d.modules,
    1,
  ],
  flops: (d) => 2 * d.rows * d.rank * totalWidth(d),
  bytes: (d) => 4 * (d.rows * d.modules * d.rank + totalWidth(d) * d.rank + 2 * d.rows * totalWidth(d)),
});
