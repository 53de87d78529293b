/** Every kernel of the tree at the sizes it is measured at. */

import type { HalfForm } from "../kernels/stored.ts";
import { convertCases, lossCases, probeCases } from "./flat_cases.ts";
import type { KernelCase } from "./kernel_case.ts";
import { attentionCases, elementCases, linearCases, normCases } from "./layer_cases.ts";
import { loraCases } from "./lora_cases.ts";
import { decodeCases, embeddingCases, headCases, optimizerCases } from "./model_cases.ts";
import type { ShapeSet } from "./shapes.ts";

/** The cases of each set in turn, then those that depend on none; those on f16 in each form the device can run. */
export function kernelCases(
  sets: readonly ShapeSet[],
  forms: readonly HalfForm[] = ["packed"],
): KernelCase[] {
  return [
    ...sets.flatMap((shape) => [
      ...embeddingCases(shape, forms),
      ...normCases(shape),
      ...linearCases(shape, forms),
      ...loraCases(shape),
      ...attentionCases(shape),
      ...elementCases(shape),
      ...headCases(shape),
      ...optimizerCases(shape),
      ...decodeCases(shape, forms),
    ]),
    ...lossCases(),
    ...convertCases(),
    ...probeCases(),
  ];
}
