import { describe, expect, it } from "vitest";
import { loraBackwardExpand } from "../../../src/kernels/lora/lora_backward_expand.ts";
import { loraBackwardExpandVec4 } from "../../../src/kernels/lora/lora_backward_expand_vec4.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { loraBackwardExpandReference, loraExpandReference } from "../../reference/lora.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { dimsOf, dot, EVEN_SHAPES, lengthsOf, nameOf, ODD_SHAPES, variants } from "./lora_case.ts";

// Broken on purpose once, each kernel: the last n left out, db overwritten under accumulate, scale left out; dy read without
// the module's start, hidden rows of the first module, one rank twice, every module into the first rows; the outer product
// transposed, the low columns twice, columns past the edge stored. Each fails.
for (const [name, kernel, shapes] of [
  ["loraBackwardExpand()", loraBackwardExpand, [...ODD_SHAPES, ...EVEN_SHAPES.slice(2)]],
  ["loraBackwardExpandVec4()", loraBackwardExpandVec4, EVEN_SHAPES],
] as const) {
  describe(name, () => {
    for (const shape of shapes) {
      for (const variant of variants(kernel, "LANES_RANK")) {
        it(`${nameOf(shape)} with ${JSON.stringify(variant.overrides)}`, async () => {
          const lengths = lengthsOf(shape);
          const [dy, hidden] = [normals(lengths.y, 1), normals(lengths.hidden, 2)];
          const inputs = { dy, hidden, db: normals(lengths.b, 3) };
          const dims = { ...dimsOf(shape), accumulate: 0 };
          const { db } = await runKernel(variant, inputs, dims);
          const want = loraBackwardExpandReference(shape, dy, hidden);
          // 4·ε·√N of the largest result.
          const atol = 4 * 2 ** -23 * Math.sqrt(shape.rows) * largest(want);
          expectClose("db", db, want, { atol, shape: [lengths.b / shape.rank, shape.rank] });
          expect((await runKernel(oneWorkgroup(variant), inputs, dims)).db).toEqual(db);
          const added = await runKernel(variant, inputs, { ...dims, accumulate: 1 });
          const sum = want.map((value, i) => value + inputs.db[i]);
          const matrix = [lengths.b / shape.rank, shape.rank];
          expectClose("db + before", added.db, sum, { atol, rtol: 4e-7, shape: matrix });
          // Adjoint identity <J u, dy> = <u, Jᵀ dy>.
          const u = normals(lengths.b, 9);
          const lhs = dot(loraExpandReference(shape, hidden, u, new Float64Array(lengths.y)), dy);
          const rhs = dot(u, db);
          expect(Math.abs(lhs - rhs)).toBeLessThan(1e-5 * (1 + Math.sqrt(dot(u, u) * dot(db, db))));
        });
      }
    }
  });
}
