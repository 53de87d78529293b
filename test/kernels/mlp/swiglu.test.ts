import { describe, expect, it } from "vitest";
import { swiglu } from "../../../src/kernels/mlp/swiglu.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";
import { swigluReference } from "../../reference/mlp.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: gate and up swapped, exp(gate) for exp(−gate), the row's offset left out. Each fails below.
describe("swiglu()", () => {
  for (const [rows, width] of [
    [1, 1],
    [5, 48],
    [37, 131],
  ]) {
    for (const size of [32, 256]) {
      it(`activates ${rows}×${width} with ${size} lanes`, async () => {
        const inputs = { gate_up: normals(2 * rows * width, rows, 3), act: new Float32Array(rows * width) };
        const kernel = swiglu.with({ WORKGROUP_SIZE: size });
        const got = await runKernel(kernel, inputs, { rows, width });
        const want = swigluReference(inputs.gate_up, width);
        // WGSL allows exp an error of (3 + 2·|x|) ulp: 1e-5 covers |x| up to 30.
        expectClose("act", got.act, want, { rtol: 1e-5, atol: 1e-12, shape: [rows, width] });
        expect((await runKernel(kernel, inputs, { rows, width })).act).toEqual(got.act);
        expect((await runKernel(oneWorkgroup(kernel), inputs, { rows, width })).act).toEqual(got.act);
      });
    }
  }

  it("stays finite where exp overflows and passes NaN on", async () => {
    const gateUp = Float32Array.of(-200, 200, 0, Number.NaN, 2, 3, 4, 1);
    const inputs = { gate_up: gateUp, act: new Float32Array(4) };
    const { act } = await runKernel(swiglu, inputs, { rows: 1, width: 4 });
    expect(Math.abs(act[0])).toBeLessThan(1e-30);
    expect(act[1]).toBeCloseTo(600, 3);
    expect(act[2]).toBe(0);
    expect(act[3]).toBeNaN();
  });
});
