/**
 * AdamW and clipping against their vectors: `w` with weight decay and `b` without, clipped together, as many steps as
 * there are gradients. The file holds no constants; they are torch's as the vectors' description names them.
 */
import type { Gpu } from "../gpu/device.ts";
import { adamw } from "../kernels/optimizer/adamw.ts";
import { clipCoefficient } from "../kernels/optimizer/clip_coefficient.ts";
import { gradNorm, gradNormPartials } from "../kernels/optimizer/grad_norm.ts";
import { type CaseResult, type Check, judge, onePlus } from "./compare.ts";
import { KernelRun } from "./kernel_run.ts";
import type { Vectors } from "./vectors.ts";

const LEARNING_RATE = 3e-3;
const [BETA1, BETA2, EPS, MAX_NORM] = [0.9, 0.95, 1e-8, 1];
const WEIGHT_DECAY: Readonly<Record<string, number>> = { w: 0.1, b: 0 };

/** Element-wise, in f32 on both sides: relative and absolute. */
const ELEMENT = 1e-6;
/** A sum of squares. */
const REDUCTION = 1e-5;

export async function runOptimizerCase(gpu: Gpu, name: string, vectors: Vectors): Promise<CaseResult> {
  await gpu.compile([gradNorm, clipCoefficient, adamw]);
  using run = new KernelRun(gpu, "adamw");
  const norms = vectors.exact("grad_norms");
  const tensors = Object.entries(WEIGHT_DECAY).map(([key, weight_decay]) => {
    const start = vectors.floats(`${key}0`);
    const zeros = new Float32Array(start.length);
    return {
      key,
      weight_decay,
      count: start.length,
      parameter: run.put(key, start),
      gradient: run.put(`gradient ${key}`, zeros),
      first_moment: run.put(`first moment ${key}`, zeros),
      second_moment: run.put(`second moment ${key}`, zeros),
    };
  });
  const partialCount = tensors.reduce((sum, { count }) => sum + gradNormPartials(count), 0);
  const [partials, norm] = [run.blank("partials", partialCount), run.blank("norm", 2)];
  const checks: Check[] = [];
  for (let step = 1; step <= norms.length; step++) {
    let start = 0;
    for (const { key, count, gradient } of tensors) {
      gradient.write(vectors.floats(`grad_${key}${step}`));
      gradNorm.encode(run.recorder, { gradient, partials }, { count, start });
      start += gradNormPartials(count);
    }
    clipCoefficient.encode(run.recorder, { partials, norm }, { count: start, max_norm: MAX_NORM });
    for (const { count, weight_decay, gradient, parameter, first_moment, second_moment } of tensors) {
      adamw.encode(
        run.recorder,
        { gradient, norm, parameter, first_moment, second_moment },
        {
          count,
          learning_rate: LEARNING_RATE,
          beta1: BETA1,
          beta2: BETA2,
          eps: EPS,
          weight_decay,
          // Of the betas that the shader sees, as the trainer computes them.
          correction1: 1 - Math.fround(BETA1) ** step,
          correction2: 1 - Math.fround(BETA2) ** step,
        },
      );
    }
    const [gotNorm, ...got] = await run.read(norm, ...tensors.map(({ parameter }) => parameter));
    const wantNorm = [norms[step - 1]];
    checks.push({
      name: `grad_norms[${step - 1}]`,
      got: gotNorm.subarray(0, 1),
      want: wantNorm,
      scale: Math.abs(wantNorm[0]),
      tolerance: REDUCTION,
    });
    tensors.forEach(({ key }, i) => {
      const want = vectors.exact(`${key}${step}`);
      checks.push({ name: `${key}${step}`, got: got[i], want, scale: onePlus(want), tolerance: ELEMENT });
    });
  }
  return judge(name, checks);
}
