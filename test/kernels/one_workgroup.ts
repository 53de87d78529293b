/** A kernel that is given one workgroup only, so that it must stride over everything else. */
import { Kernel } from "../../src/gpu/kernel.ts";

export function oneWorkgroup<P extends string, B extends string>(kernel: Kernel<P, B>): Kernel<P, B> {
  return new Kernel({ ...kernel.spec, overrides: kernel.overrides, grid: () => [1, 1, 1] });
}
