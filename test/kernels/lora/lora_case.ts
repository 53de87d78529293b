/** Shapes that the tests of shaders/lora share: each kernel of any size, and its twin for sizes divisible by 4. */
import type { Kernel } from "../../../src/gpu/kernel.ts";
import type { FusedDims } from "../../../src/kernels/lora/fused_modules.ts";
import type { LoraShape } from "../../reference/lora.ts";

/** Modules by [start, width]. */
function shapeOf(rows: number, rank: number, outputs: number, ...modules: [number, number][]): LoraShape {
  return {
    ...{ rows, rank, outputs, scale: 0.75 },
    modules: modules.map(([start, width]) => ({ start, width })),
  };
}

export const ODD_SHAPES = [
  shapeOf(1, 1, 1, [0, 1]),
  shapeOf(3, 5, 19, [2, 7], [11, 3]),
  shapeOf(37, 3, 61, [0, 29], [29, 15], [44, 17]),
  shapeOf(70, 11, 130, [97, 33], [1, 64]),
];

export const EVEN_SHAPES = [
  shapeOf(1, 4, 4, [0, 4]),
  shapeOf(9, 8, 24, [8, 12]),
  shapeOf(37, 12, 60, [0, 28], [28, 16], [44, 16]),
  shapeOf(130, 16, 76, [40, 36], [4, 12]),
];

/** The parameters that every kernel takes. */
export function dimsOf({ rows, rank, outputs, modules, scale }: LoraShape): FusedDims {
  // Places that no kernel may look at, where there are fewer than three modules.
  const at = (t: number) => modules[t] ?? { start: 4096, width: 4096 };
  return {
    ...{ rows, rank, y_stride: outputs, modules: modules.length, scale },
    ...{ start_0: at(0).start, width_0: at(0).width },
    ...{ start_1: at(1).start, width_1: at(1).width },
    ...{ start_2: at(2).start, width_2: at(2).width },
  };
}

/** Elements of y, hidden and b. */
export function lengthsOf({ rows, rank, outputs, modules }: LoraShape): {
  y: number;
  hidden: number;
  b: number;
} {
  const widths = modules.reduce((sum, { width }) => sum + width, 0);
  return { y: rows * outputs, hidden: rows * modules.length * rank, b: widths * rank };
}

/** Three settings of a kernel's lanes: its own, more workgroups across, and a lane a block. */
export function variants<P extends string, B extends string>(kernel: Kernel<P, B>, lanes: string) {
  const settings: Record<string, number>[] = [
    {},
    { WORKGROUP_SIZE: 64, [lanes]: 16 },
    { WORKGROUP_SIZE: 8, [lanes]: 1 },
  ];
  return settings.map((overrides) => kernel.with(overrides));
}

export function nameOf({ rows, rank, outputs, modules }: LoraShape): string {
  const places = modules.map(({ start, width }) => `${start}+${width}`).join(", ");
  return `${rows} rows, rank ${rank}, modules at ${places} of ${outputs}`;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
