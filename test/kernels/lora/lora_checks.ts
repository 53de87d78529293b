/** What the tests of shaders/lora check of a kernel, the same of each and of its twin for sizes divisible by 4. */
import { expect, it } from "vitest";
import type { loraBackwardExpand } from "../../../src/kernels/lora/lora_backward_expand.ts";
import type { loraBackwardHidden } from "../../../src/kernels/lora/lora_backward_hidden.ts";
import type { loraExpand } from "../../../src/kernels/lora/lora_expand.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import {
  type LoraShape,
  loraBackwardExpandReference,
  loraBackwardHiddenReference,
  loraExpandReference,
} from "../../reference/lora.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { dimsOf, dot, lengthsOf, nameOf, variants } from "./lora_case.ts";

/** Holds `lora_expand`, or its twin for sizes divisible by 4, to the reference at these shapes. */
export function testLoraExpand(kernel: typeof loraExpand, shapes: readonly LoraShape[]): void {
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
}

/** Holds `lora_backward_hidden`, or its twin for sizes divisible by 4, to the reference at these shapes. */
export function testLoraBackwardHidden(
  kernel: typeof loraBackwardHidden,
  shapes: readonly LoraShape[],
): void {
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
}

/** Holds `lora_backward_expand`, or its twin for sizes divisible by 4, to the reference at these shapes. */
export function testLoraBackwardExpand(
  kernel: typeof loraBackwardExpand,
  shapes: readonly LoraShape[],
): void {
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
}
