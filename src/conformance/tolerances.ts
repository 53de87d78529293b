/** The rule for gradients, argued once for all cases. */
import { type Check, largest } from "./compare.ts";
import type { Vectors } from "./vectors.ts";

/** House rule: gradients agree to 1e-4 of the tensor's largest magnitude. */
export const GRADIENT = 1e-4;
/**
 * Where terms cancel (one sequence of one token has no gradient towards its query), the tensor's own size says nothing:
 * what is left is rounding of the terms. The scale is at least a hundredth of them, which allows 1e-6 of a term.
 */
const CANCELLATION = 1e-2;

/** Compares a gradient; `term` is the largest magnitude of what is summed into it. */
export function gradientCheck(
  vectors: Vectors,
  name: string,
  got: ArrayLike<number>,
  term: number,
  label = name,
): Check {
  const want = vectors.exact(name);
  return { name: label, got, want, scale: Math.max(largest(want), CANCELLATION * term), tolerance: GRADIENT };
}
