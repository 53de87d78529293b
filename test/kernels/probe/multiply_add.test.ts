import { describe, expect, it } from "vitest";
import { multiplyAdd } from "../../../src/kernels/probe/multiply_add.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: one round fewer, high from low's address, no stride. Each fails below.
describe("multiplyAdd()", () => {
  for (const [rows, rounds] of [
    [1, 1],
    [67, 200],
    [200, 0],
  ]) {
    it(`runs ${rounds} rounds over ${rows} rows`, async () => {
      const [factor, addend] = [0.99, 0.25];
      const x = normals(8 * rows, rows);
      const dims = { rows, rounds, factor, addend };
      const got = await runKernel(multiplyAdd, { x }, dims);
      const [f, a] = [Math.fround(factor), Math.fround(addend)];
      const grown = f ** (8 * rounds);
      const want = Array.from(x, (value) => value * grown + (a * (1 - grown)) / (1 - f));
      expectClose("x", got.x, want, { rtol: 1e-5, atol: 1e-6, shape: [rows, 8] });
      expect((await runKernel(oneWorkgroup(multiplyAdd), { x }, dims)).x).toEqual(got.x);
    });
  }

  it("counts a multiply-add as two operations", () => {
    expect(multiplyAdd.spec.flops({ rows: 3, rounds: 5, factor: 1, addend: 1 })).toBe(3 * 8 * 8 * 5 * 2);
  });
});
