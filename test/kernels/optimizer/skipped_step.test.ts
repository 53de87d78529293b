import { describe, expect, it } from "vitest";
import { Recorder } from "../../../src/gpu/recorder.ts";
import { adamw } from "../../../src/kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../../../src/kernels/optimizer/clip_coefficient.ts";
import { gradNorm, gradNormPartials } from "../../../src/kernels/optimizer/grad_norm.ts";
import { normals, testGpu } from "../../gpu_harness.ts";

const COUNT = 5003;

/** One whole update of COUNT parameters, of which gradient 4097 is `bad`. */
async function update(bad: number) {
  const gpu = await testGpu();
  await gpu.compile([gradNorm, clipCoefficient, adamw]);
  const recorder = new Recorder(gpu, "update");
  const values = normals(COUNT, 1);
  values[4097] = bad;
  using gradient = gpu.bufferFrom("gradient", values);
  using partials = gpu.buffer("partials", gradNormPartials(COUNT));
  using norm = gpu.buffer("norm", 2);
  const state = [normals(COUNT, 2), normals(COUNT, 3), normals(COUNT, 4).map(Math.abs)];
  using parameter = gpu.bufferFrom("parameter", state[0]);
  using first_moment = gpu.bufferFrom("first moment", state[1]);
  using second_moment = gpu.bufferFrom("second moment", state[2]);
  gradNorm.encode(recorder, { gradient, partials }, { count: COUNT, start: 0 });
  clipCoefficient.encode(recorder, { partials, norm }, { count: gradNormPartials(COUNT), max_norm: 1 });
  adamw.encode(
    recorder,
    { gradient, norm, parameter, first_moment, second_moment },
    {
      count: COUNT,
      learning_rate: 0.1,
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      weight_decay: 0.1,
      correction1: 0.1,
      correction2: 0.01,
    },
  );
  recorder.submit();
  const read = [parameter, first_moment, second_moment].map((buffer) => buffer.readFloats());
  return { state, after: await Promise.all(read), norm: await norm.readFloats() };
}

// Broken on purpose once: adamw without its early return. Each of the first four fails.
describe("an update whose gradient norm is not finite", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30]) {
    it(`changes nothing where one gradient is ${bad}`, async () => {
      const { state, after, norm } = await update(bad);
      expect(Number.isFinite(norm[0])).toBe(false);
      expect(norm[1]).toBe(0);
      expect(after).toEqual(state);
    });
  }

  it("does not happen for a gradient that is merely large", async () => {
    const { state, after, norm } = await update(1e18);
    expect(norm[0] / 1e18).toBeCloseTo(1, 5);
    expect(after[0].every((value, i) => Number.isFinite(value) && value !== state[0][i])).toBe(true);
  });
});
