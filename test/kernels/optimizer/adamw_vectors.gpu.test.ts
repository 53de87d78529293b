import { describe, it } from "vitest";
import type { GpuBuffer } from "../../../src/gpu/buffer.ts";
import { Recorder } from "../../../src/gpu/recorder.ts";
import { adamw } from "../../../src/kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../../../src/kernels/optimizer/clip_coefficient.ts";
import { gradNorm, gradNormPartials } from "../../../src/kernels/optimizer/grad_norm.ts";
import { expectClose, testGpu } from "../../gpu_harness.ts";
import type { AdamWReferenceSettings } from "../../reference/optimizer.ts";
import { hasVectors, readMaterial, readVectors } from "../../reference/vectors.ts";

interface Tensor {
  parameter: GpuBuffer;
  gradient: GpuBuffer;
  first_moment: GpuBuffer;
  second_moment: GpuBuffer;
  weightDecay: number;
}

/** A few tensors that are clipped together, each with its own weight decay. */
async function makeOptimizer(starts: { values: Float32Array; weightDecay: number }[]) {
  const gpu = await testGpu();
  await gpu.compile([gradNorm, clipCoefficient, adamw]);
  const recorder = new Recorder(gpu, "adamw");
  const norm = gpu.buffer("norm", 2);
  const partials = gpu.buffer("partials", 64);
  const tensors: Tensor[] = starts.map(({ values, weightDecay }) => ({
    parameter: gpu.bufferFrom("parameter", values),
    gradient: gpu.buffer("gradient", values.length),
    first_moment: gpu.buffer("first moment", values.length),
    second_moment: gpu.buffer("second moment", values.length),
    weightDecay,
  }));
  const step = (
    gradients: Float32Array[],
    settings: Omit<AdamWReferenceSettings, "weightDecay">,
    maxNorm: number,
  ) => {
    let start = 0;
    gradients.forEach((gradient, i) => {
      tensors[i].gradient.write(gradient);
      gradNorm.encode(
        recorder,
        { gradient: tensors[i].gradient, partials },
        { count: gradient.length, start },
      );
      start += gradNormPartials(gradient.length);
    });
    clipCoefficient.encode(recorder, { partials, norm }, { count: start, max_norm: maxNorm });
    for (const { parameter, gradient, first_moment, second_moment, weightDecay } of tensors) {
      adamw.encode(
        recorder,
        { gradient, norm, parameter, first_moment, second_moment },
        {
          count: parameter.length,
          learning_rate: settings.learningRate,
          beta1: settings.beta1,
          beta2: settings.beta2,
          eps: settings.eps,
          weight_decay: weightDecay,
          correction1: 1 - settings.beta1 ** settings.step,
          correction2: 1 - settings.beta2 ** settings.step,
        },
      );
    }
    recorder.submit();
  };
  const parameters = () => Promise.all(tensors.map(({ parameter }) => parameter.readFloats()));
  return { step, parameters, norm };
}

interface OptimCase {
  id: string;
  config: { lr: number; beta1: number; beta2: number; eps: number; weight_decay: number };
  W: number[][];
  b: number[];
  steps?: number;
  batches?: number[][][];
  expected_W: number[][];
  expected_b: number[];
  tolerance: { abs: number };
}

describe.skipIf(!hasVectors)("AdamW against torch", () => {
  it("follows five clipped steps on two tensors, one of them without decay", async () => {
    const vectors = readVectors("adamw.safetensors");
    const { step, parameters, norm } = await makeOptimizer([
      { values: vectors.floats("w0"), weightDecay: 0.1 },
      { values: vectors.floats("b0"), weightDecay: 0 },
    ]);
    for (let t = 1; t <= 5; t++) {
      const gradients = [vectors.floats(`grad_w${t}`), vectors.floats(`grad_b${t}`)];
      step(gradients, { learningRate: 3e-3, beta1: 0.9, beta2: 0.95, eps: 1e-8, step: t }, 1);
      const [w, b] = await parameters();
      const tolerance = { rtol: 1e-6, atol: 1e-6 };
      expectClose(`w after step ${t}`, w, vectors.floats(`w${t}`), { ...tolerance, shape: [13, 7] });
      expectClose(`b after step ${t}`, b, vectors.floats(`b${t}`), tolerance);
      const [found] = await norm.readFloats(0, 1);
      expectClose(`norm at step ${t}`, [found], [vectors.floats("grad_norms")[t - 1]], { rtol: 1e-5 });
    }
  });

  for (const id of ["burn-adamw-2step", "torch-adamw-50"]) {
    it(`follows ${id}: y = x·W + b, loss = Σ y`, async () => {
      const { cases } = readMaterial<{ cases: OptimCase[] }>("numeric/optim-cases.json");
      const found = cases.find((each) => each.id === id)!;
      const { lr, beta1, beta2, eps, weight_decay: weightDecay } = found.config;
      const { step, parameters } = await makeOptimizer(
        [found.W.flat(), found.b].map((values) => ({ values: Float32Array.from(values), weightDecay })),
      );
      const [inputs, outputs] = [found.W.length, found.b.length];
      const batches =
        found.batches ??
        Array.from({ length: found.steps! }, (_, i) => [1, 2].map(() => found.W.map(() => 0.1 * (i + 1))));
      batches.forEach((x, i) => {
        const slope = (k: number) => x.reduce((sum, row) => sum + row[k], 0);
        const gradW = Float32Array.from({ length: inputs * outputs }, (_, at) =>
          slope(Math.floor(at / outputs)),
        );
        const gradB = new Float32Array(outputs).fill(x.length);
        step([gradW, gradB], { learningRate: lr, beta1, beta2, eps, step: i + 1 }, 3e38);
      });
      const [w, b] = await parameters();
      const shape = [inputs, outputs];
      expectClose("W", w, found.expected_W.flat(), { atol: found.tolerance.abs, shape });
      expectClose("b", b, found.expected_b, { atol: found.tolerance.abs });
    });
  }
});
