import { describe, expect, it } from "vitest";
import { loraBackwardHidden } from "../../../src/kernels/lora/lora_backward_hidden.ts";
import { loraBackwardHiddenVec4 } from "../../../src/kernels/lora/lora_backward_hidden_vec4.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { loraBackwardHiddenReference, loraExpandReference } from "../../reference/lora.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { dimsOf, dot, EVEN_SHAPES, lengthsOf, nameOf, ODD_SHAPES, variants } from "./lora_case.ts";

// Broken on purpose once, each kernel: the last o left out, dy read without the module's start, all modules stored as the
// first; scale left out, two ranks swapped, dhidden added to; b transposed, every module from the first rows of b. Each
// fails.
for (const [name, kernel, shapes] of [
  ["loraBackwardHidden()", loraBackwardHidden, [...ODD_SHAPES, ...EVEN_SHAPES.slice(2)]],
  ["loraBackwardHiddenVec4()", loraBackwardHiddenVec4, EVEN_SHAPES],
] as const) {
  describe(name, () => {
    for (const shape of shapes) {
      for (const variant of variants(kernel, "LANES_RANK")) {
        it(`${nameOf(shape)} with ${JSON.stringify(variant.overrides)}`, async () => {
          const lengths = lengthsOf(shape);
          // What dhidden held before must not matter.
          const [dy, b] = [normals(lengths.y, 1), normals(lengths.b, 2)];
          const inputs = { dy, b, dhidden: normals(lengths.hidden, 3) };
          const { dhidden } = await runKernel(variant, inputs, dimsOf(shape));
          const want = loraBackwardHiddenReference(shape, dy, b);
          // 4·ε·√width of the largest result.
          const width = Math.max(...shape.modules.map((module) => module.width));
          const atol = 4 * 2 ** -23 * Math.sqrt(width) * largest(want);
          expectClose("dhidden", dhidden, want, {
            atol,
            shape: [shape.rows, shape.modules.length, shape.rank],
          });
          expect((await runKernel(oneWorkgroup(variant), inputs, dimsOf(shape))).dhidden).toEqual(dhidden);
          // Adjoint identity <J u, dy> = <u, Jᵀ dy>.
          const u = normals(lengths.hidden, 9);
          const lhs = dot(loraExpandReference(shape, u, b, new Float64Array(lengths.y)), dy);
          const rhs = dot(u, dhidden);
          expect(Math.abs(lhs - rhs)).toBeLessThan(1e-5 * (1 + Math.sqrt(dot(u, u) * dot(dhidden, dhidden))));
        });
      }
    }
  });
}
