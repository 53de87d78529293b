/** Float64 twins of shaders/optimizer. */

export interface AdamWReferenceSettings {
  learningRate: number;
  beta1: number;
  beta2: number;
  eps: number;
  weightDecay: number;
  /** From 1. */
  step: number;
}

/** One step in place: decay first, then the bias-corrected quotient with eps outside the root, as torch.optim.AdamW. */
export function adamwReference(
  parameter: Float64Array,
  first: Float64Array,
  second: Float64Array,
  gradient: ArrayLike<number>,
  { learningRate, beta1, beta2, eps, weightDecay, step }: AdamWReferenceSettings,
): void {
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i];
    parameter[i] -= learningRate * weightDecay * parameter[i];
    first[i] = beta1 * first[i] + (1 - beta1) * g;
    second[i] = beta2 * second[i] + (1 - beta2) * g * g;
    const root = Math.sqrt(second[i] / (1 - beta2 ** step));
    parameter[i] -= (learningRate * (first[i] / (1 - beta1 ** step))) / (root + eps);
  }
}

/** The global norm and torch.nn.utils.clip_grad_norm_'s coefficient. */
export function clipReference(gradients: readonly ArrayLike<number>[], maxNorm: number) {
  let sum = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) sum += gradient[i] ** 2;
  const norm = Math.sqrt(sum);
  return { norm, coefficient: Math.min(1, maxNorm / (norm + 1e-6)) };
}
