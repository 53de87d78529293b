/** Every kernel of the tree at the sizes it is measured at. */
import { convertCases, lossCases, probeCases } from "./flat_cases.ts";
import type { KernelCase } from "./kernel_case.ts";
import { attentionCases, elementCases, linearCases, normCases } from "./layer_cases.ts";
import { decodeCases, embeddingCases, headCases, optimizerCases } from "./model_cases.ts";
import type { ShapeSet } from "./shapes.ts";

/** The cases of each set in turn, then those that depend on none. */
export function kernelCases(sets: readonly ShapeSet[]): KernelCase[] {
  return [
    ...sets.flatMap((shape) => [
      ...embeddingCases(shape),
      ...normCases(shape),
      ...linearCases(shape),
      ...attentionCases(shape),
      ...elementCases(shape),
      ...headCases(shape),
      ...optimizerCases(shape),
      ...decodeCases(shape),
    ]),
    ...lossCases(),
    ...convertCases(),
    ...probeCases(),
  ];
}
