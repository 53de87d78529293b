import { describe, expect, it } from "vitest";
import { adamw } from "../../../src/kernels/optimizer/adamw.ts";
import { expectClose, normals, runKernel } from "../../gpu_harness.ts";
import { adamwReference } from "../../reference/optimizer.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

const SETTINGS = { learningRate: 3e-3, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1 };

function dims(count: number, step: number, weightDecay = SETTINGS.weightDecay) {
  return {
    count,
    learning_rate: SETTINGS.learningRate,
    beta1: SETTINGS.beta1,
    beta2: SETTINGS.beta2,
    eps: SETTINGS.eps,
    weight_decay: weightDecay,
    correction1: 1 - SETTINGS.beta1 ** step,
    correction2: 1 - SETTINGS.beta2 ** step,
  };
}

// Broken on purpose once: eps inside the root, decay left out, corrections swapped, the coefficient not applied. Each fails.
describe("adamw()", () => {
  for (const count of [1, 63, 1031]) {
    for (const size of [32, 256]) {
      it(`follows torch.optim.AdamW for five steps on ${count} parameters with ${size} lanes`, async () => {
        const kernel = adamw.with({ WORKGROUP_SIZE: size });
        let parameter = normals(count, 1);
        let first = new Float32Array(count);
        let second = new Float32Array(count);
        const want = [parameter, first, second].map((values) => Float64Array.from(values));
        const coefficient = 0.25;
        for (let step = 1; step <= 5; step++) {
          const gradient = normals(count, 10 + step, 10 ** (step - 3));
          const inputs = {
            gradient,
            norm: Float32Array.of(4, coefficient),
            parameter,
            first_moment: first,
            second_moment: second,
          };
          const got = await runKernel(kernel, inputs, dims(count, step));
          const again = await runKernel(oneWorkgroup(kernel), inputs, dims(count, step));
          expect(again).toEqual(got);
          [parameter, first, second] = [
            got.parameter,
            got.first_moment,
            got.second_moment,
          ] as Float32Array<ArrayBuffer>[];
          const clipped = gradient.map((g) => g * coefficient);
          adamwReference(want[0], want[1], want[2], clipped, { ...SETTINGS, step });
        }
        // Five steps of at most about lr each: f32 rounding of the parameter (6e-8·4) dominates.
        expectClose("parameter", parameter, want[0], { rtol: 1e-6, atol: 1e-6 });
        expectClose("first moment", first, want[1], { rtol: 1e-5, atol: 1e-6 });
        expectClose("second moment", second, want[2], { rtol: 1e-5, atol: 1e-12 });
      });
    }
  }

  it("leaves everything as it is where the coefficient is 0, whatever the gradient holds", async () => {
    const inputs = {
      gradient: Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 1),
      norm: Float32Array.of(Number.NaN, 0),
      parameter: normals(3, 1),
      first_moment: normals(3, 2),
      second_moment: normals(3, 3).map(Math.abs),
    };
    const got = await runKernel(adamw, inputs, dims(3, 1));
    expect(got.parameter).toEqual(inputs.parameter);
    expect(got.first_moment).toEqual(inputs.first_moment);
    expect(got.second_moment).toEqual(inputs.second_moment);
  });

  it("decays by exactly lr·λ where there is no gradient", async () => {
    const inputs = {
      gradient: new Float32Array(2),
      norm: Float32Array.of(0, 1),
      parameter: Float32Array.of(1, -2),
      first_moment: new Float32Array(2),
      second_moment: new Float32Array(2),
    };
    const got = await runKernel(adamw, inputs, dims(2, 1));
    expectClose("parameter", got.parameter, [1 - 3e-4, -2 + 6e-4], { rtol: 2e-7 });
    const still = await runKernel(adamw, inputs, dims(2, 1, 0));
    expect(still.parameter).toEqual(inputs.parameter);
  });
});
