import code from "../../../shaders/lora/lora_backward_hidden_vec4.wgsl" with { type: "text" };
import { defineKernel, spread } from "../../gpu/kernel.ts";
import { fusedModules, totalWidth } from "./fused_modules.ts";

/** dhidden = scale · dy·b for each module of a fused layer, for rank, starts, widths and y_stride divisible by 4. */
export const loraBackwardHiddenVec4 = defineKernel({
  label: "lora_backward_hidden_vec4",
  code,
  params: fusedModules,
  bindings: {
    dy: { access: "read", length: (d) => d.rows * d.y_stride },
    b: { access: "read", length: (d) => totalWidth(d) * d.rank },
    dhidden: { access: "read_write", length: (d) => d.rows * d.modules * d.rank },
  },
  overrides: { WORKGROUP_SIZE: 32, LANES_RANK: 2 },
  grid: (d, { WORKGROUP_SIZE, LANES_RANK }) => [
    spread(Math.ceil(d.rank / (4 * LANES_RANK)) * Math.ceil((d.rows * LANES_RANK) / (8 * WORKGROUP_SIZE))),
    d.modules,
    1,
  ],
  flops: (d) => 2 * d.rows * d.rank * totalWidth(d),
  bytes: (d) => 4 * (d.rows * d.modules * d.rank + totalWidth(d) * d.rank + d.rows * totalWidth(d)),
});
