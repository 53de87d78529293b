import { describe, expect, it } from "vitest";
import { loraExpand } from "../../../src/kernels/lora/lora_expand.ts";
import { loraExpandVec4 } from "../../../src/kernels/lora/lora_expand_vec4.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { loraExpandReference } from "../../reference/lora.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { dimsOf, EVEN_SHAPES, lengthsOf, nameOf, ODD_SHAPES, variants } from "./lora_case.ts";

// Broken on purpose once, each kernel: two rows of b swapped, the last j left out, the first module's hidden rows for all,
// y overwritten, the second or third module from wrong rows of b; scale left out, a column too many; a stride of 3
// modules. Each fails.
for (const [name, kernel, shapes] of [
  ["loraExpand()", loraExpand, [...ODD_SHAPES, ...EVEN_SHAPES.slice(2)]],
  ["loraExpandVec4()", loraExpandVec4, EVEN_SHAPES],
] as const) {
  describe(name, () => {
    for (const shape of shapes) {
      for (const variant of variants(kernel, "LANES_OUTPUT")) {
        it(`${nameOf(shape)} with ${JSON.stringify(variant.overrides)}`, async () => {
          const lengths = lengthsOf(shape);
          const [hidden, b] = [normals(lengths.hidden, 1), normals(lengths.b, 2)];
          const inputs = { hidden, b, y: normals(lengths.y, 3) };
          const { y } = await runKernel(variant, inputs, dimsOf(shape));
          const want = loraExpandReference(shape, hidden, b, inputs.y);
          const added = want.map((value, i) => value - inputs.y[i]);
          // 4·ε·√R of the largest result, and the rounding of the sum with y.
          const atol = 4 * 2 ** -23 * Math.sqrt(shape.rank) * largest(added);
          expectClose("y", y, want, { atol, rtol: 4e-7, shape: [shape.rows, shape.outputs] });
          const outside = (i: number) =>
            !shape.modules.some(({ start, width }) => {
              const o = i % shape.outputs;
              return start <= o && o < start + width;
            });
          const untouched = (values: Float32Array) => values.filter((_, i) => outside(i));
          expect(untouched(y)).toEqual(untouched(inputs.y));
          expect((await runKernel(oneWorkgroup(variant), inputs, dimsOf(shape))).y).toEqual(y);
        });
      }
    }
  });
}
