/** Self-test of LoRA's kernels: two modules of a fused layer that leave columns of y alone. */
import { loraBackwardExpand } from "../kernels/lora/lora_backward_expand.ts";
import { loraBackwardExpandVec4 } from "../kernels/lora/lora_backward_expand_vec4.ts";
import { loraBackwardHidden } from "../kernels/lora/lora_backward_hidden.ts";
import { loraBackwardHiddenVec4 } from "../kernels/lora/lora_backward_hidden_vec4.ts";
import { loraExpand } from "../kernels/lora/lora_expand.ts";
import { loraExpandVec4 } from "../kernels/lora/lora_expand_vec4.ts";
import { smallFloats } from "./kernel_case.ts";
import type { Expectation, FamilyTest } from "./self_test.ts";

export const testLora: FamilyTest = async (run) => {
  const [rows, rank, columns, scale] = [7, 4, 20, 0.5];
  const modules = [
    { start: 4, width: 8 },
    { start: 12, width: 4 },
  ];
  const hidden = smallFloats(rows * 2 * rank + 3).subarray(3);
  const b = smallFloats(12 * rank + 11).subarray(11);
  const y = smallFloats(rows * columns + 5).subarray(5);
  const dims = {
    ...{ rows, rank, y_stride: columns, modules: 2, scale, accumulate: 0 },
    ...{ start_0: 4, width_0: 8, start_1: 12, width_1: 4, start_2: 0, width_2: 0 },
  };
  const want = {
    y: Float64Array.from(y),
    dhidden: new Float64Array(hidden.length),
    db: new Float64Array(b.length),
  };
  let row = 0;
  modules.forEach(({ start, width }, t) => {
    for (let n = 0; n < rows; n++) {
      for (let o = 0; o < width; o++) {
        for (let j = 0; j < rank; j++) {
          const [at, from, weight] = [n * columns + start + o, (2 * n + t) * rank + j, (row + o) * rank + j];
          want.y[at] += scale * hidden[from] * b[weight];
          want.dhidden[from] += scale * y[at] * b[weight];
          want.db[weight] += scale * y[at] * hidden[from];
        }
      }
    }
    row += width;
  });
  const results: Expectation[] = [];
  for (const expand of [loraExpand, loraExpandVec4]) {
    const got = await run(expand, { hidden, b, y }, dims, "y");
    results.push({ name: expand.label, got, want: want.y, tolerance: 1e-5 });
  }
  for (const backward of [loraBackwardHidden, loraBackwardHiddenVec4]) {
    const bindings = { dy: y, b, dhidden: new Float32Array(hidden.length) };
    const got = await run(backward, bindings, dims, "dhidden");
    results.push({ name: backward.label, got, want: want.dhidden, tolerance: 1e-5 });
  }
  for (const backward of [loraBackwardExpand, loraBackwardExpandVec4]) {
    const got = await run(backward, { dy: y, hidden, db: new Float32Array(b.length) }, dims, "db");
    results.push({ name: backward.label, got, want: want.db, tolerance: 1e-5 });
  }
  return results;
};
