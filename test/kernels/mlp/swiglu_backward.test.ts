import { describe, expect, it } from "vitest";
import { swigluBackward } from "../../../src/kernels/mlp/swiglu_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { swigluBackwardReference, swigluReference } from "../../reference/mlp.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: halves swapped, 1 + gate·σ for 1 + gate·(1 − σ), dact left out of dup. Each fails below.
describe("swigluBackward()", () => {
  for (const [rows, width] of [
    [1, 1],
    [5, 48],
    [37, 131],
  ]) {
    for (const size of [32, 256]) {
      it(`takes ${rows}×${width} back with ${size} lanes`, async () => {
        const gateUp = normals(2 * rows * width, rows, 3);
        const dact = normals(rows * width, 2);
        const inputs = { gate_up: gateUp, dact, dgate_up: new Float32Array(gateUp.length) };
        const kernel = swigluBackward.with({ WORKGROUP_SIZE: size });
        const got = await runKernel(kernel, inputs, { rows, width });
        const want = swigluBackwardReference(gateUp, dact, width);
        // 1 + gate·(1 − σ) cancels near its zero: a little of the largest entry is allowed.
        const atol = 1e-6 * largest(want);
        expectClose("dgate_up", got.dgate_up, want, { rtol: 1e-5, atol, shape: [rows, 2, width] });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          expect((await runKernel(same, inputs, { rows, width })).dgate_up).toEqual(got.dgate_up);
        }
      });
    }
  }

  it("agrees with central differences of the forward twin", async () => {
    const [rows, width] = [3, 5];
    const gateUp = normals(2 * rows * width, 1, 2);
    const dact = normals(rows * width, 2);
    const loss = (at: ArrayLike<number>) =>
      swigluReference(at, width).reduce((sum, value, i) => sum + value * dact[i], 0);
    const h = 1e-5;
    const want = Array.from(gateUp, (_, i) => {
      const up = Float64Array.from(gateUp);
      const down = Float64Array.from(gateUp);
      up[i] += h;
      down[i] -= h;
      return (loss(up) - loss(down)) / (2 * h);
    });
    const inputs = { gate_up: gateUp, dact, dgate_up: new Float32Array(gateUp.length) };
    const got = await runKernel(swigluBackward, inputs, { rows, width });
    expectClose("dgate_up", got.dgate_up, want, { atol: 1e-5 * largest(want), shape: [rows, 2, width] });
  });
});
