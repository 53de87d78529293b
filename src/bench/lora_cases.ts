/** LoRA's kernels on the fused query, key and value projection, at the sizes of one set. */
import { loraBackwardExpand } from "../kernels/lora/lora_backward_expand.ts";
import { loraBackwardExpandVec4 } from "../kernels/lora/lora_backward_expand_vec4.ts";
import { loraBackwardHidden } from "../kernels/lora/lora_backward_hidden.ts";
import { loraBackwardHiddenVec4 } from "../kernels/lora/lora_backward_hidden_vec4.ts";
import { loraExpand } from "../kernels/lora/lora_expand.ts";
import { loraExpandVec4 } from "../kernels/lora/lora_expand_vec4.ts";
import { type KernelCase, kernelCase } from "./kernel_case.ts";
import type { ShapeSet } from "./shapes.ts";

const RANK = 16;

export function loraCases(shape: ShapeSet): KernelCase[] {
  const { name: set, rows, heads, kvHeads, headDim, decodeRows } = shape;
  const [query, key] = [heads * headDim, kvHeads * headDim];
  const dims = {
    ...{ rows, rank: RANK, y_stride: query + 2 * key, modules: 3, scale: 2 },
    ...{ start_0: 0, width_0: query, start_1: query, width_1: key, start_2: query + key, width_2: key },
  };
  // The kernels for any size serve odd ranks alone.
  const few = { ...dims, rows: rows / 4 };
  return [
    kernelCase(loraExpandVec4, dims, { set }),
    kernelCase(loraExpandVec4, { ...dims, rows: decodeRows }, { set, use: "decode" }),
    kernelCase(loraBackwardHiddenVec4, dims, { set }),
    kernelCase(loraBackwardExpandVec4, { ...dims, accumulate: 1 }, { set }),
    kernelCase(loraExpand, few, { set }),
    kernelCase(loraBackwardHidden, few, { set }),
    kernelCase(loraBackwardExpand, { ...few, accumulate: 1 }, { set }),
  ];
}
