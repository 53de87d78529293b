/** What the kernels of shaders/lora are told of the modules of a fused linear layer, and sizes that follow from it. */

/** Parameters in the order of the shaders' Params; starts and widths of modules from `modules` on are not read. */
export const fusedModules = {
  /** N */
  rows: "u32",
  /** R */
  rank: "u32",
  /** Width of the fused layer's y. */
  y_stride: "u32",
  /** 1 to 3. */
  modules: "u32",
  start_0: "u32",
  width_0: "u32",
  start_1: "u32",
  width_1: "u32",
  start_2: "u32",
  width_2: "u32",
  /** alpha / R. */
  scale: "f32",
} as const;

export type FusedDims = Record<keyof typeof fusedModules, number>;

function widths(d: FusedDims): number[] {
  return [d.width_0, d.width_1, d.width_2].slice(0, d.modules);
}

/** Columns of the widest module. */
export function widest(d: FusedDims): number {
  return Math.max(...widths(d));
}

/** Columns of all modules, which are the rows of b. */
export function totalWidth(d: FusedDims): number {
  return widths(d).reduce((sum, width) => sum + width, 0);
}
