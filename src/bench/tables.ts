/** Benchmark figures as rows of text: what the command line prints. */
import type { KernelTime } from "../gpu/profiler.ts";
import type { BenchEvent, KernelFigure } from "./bench.ts";
import type { StepFigure } from "./steps.ts";

export const KERNEL_HEADER = ["kernel", "sizes", "ms", "GFLOP/s", "GB/s", "of peak", "bound"] as const;
export const STEP_HEADER = [
  "step",
  "s",
  "tokens/s",
  "GFLOP/s",
  "of peak",
  "dispatches",
  "submits",
  "uploads",
  "read-backs",
  "objects made",
] as const;
export const SHARE_HEADER = ["kernel", "dispatches", "ms", "share"] as const;

/** Three significant figures without an exponent. */
export function short(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 4));
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** Sizes that say how much work it is; settings such as eps are left out. */
const SIZES: Readonly<Record<string, string>> = {
  rows: "N",
  entries: "E",
  tokens: "M",
  sequences: "B",
  width: "C",
  outputs: "O",
  inputs: "I",
  heads: "H",
  kv_heads: "K",
  head_dim: "D",
  vocab: "V",
  tile_width: "V",
  capacity: "S",
  count: "count",
  quads: "quads",
};

/** `{ rows: 2048, width: 128, eps: 1e-5 }` → `N 2048 C 128`. */
export function sizes(dims: Readonly<Record<string, number>>): string {
  return Object.entries(dims)
    .filter(([name, value]) => name in SIZES && value < 2 ** 31)
    .map(([name, value]) => `${SIZES[name]} ${value}`)
    .join(" ");
}

export function kernelRow(figure: KernelFigure): string[] {
  return [
    figure.name,
    sizes(figure.dims),
    short(figure.seconds * 1e3),
    figure.flops === 0 ? "-" : short(figure.gflopsPerSecond),
    short(figure.gbPerSecond),
    percent(figure.roofline),
    figure.bound,
  ];
}

export function stepRow(figure: Extract<BenchEvent, { event: "step" }>): string[] {
  const { counts } = figure;
  const per = (count: number) => (Number.isInteger(count) ? `${count}` : count.toFixed(1));
  return [
    figure.name,
    short(figure.seconds),
    figure.tokensPerSecond.toFixed(0),
    short(figure.gflopsPerSecond),
    percent(figure.roofline),
    per(counts.dispatches),
    per(counts.submits),
    per(counts.uploads),
    per(counts.readbacks),
    per(counts.buffers + counts.bindGroups),
  ];
}

/** Where a step's time on the GPU goes, the longest first; what is under a hundredth of it is left out. */
export function shareRows({ kernels }: StepFigure): string[][] {
  const total = kernels.reduce((sum, { seconds }) => sum + seconds, 0);
  return kernels
    .filter(({ seconds }) => seconds >= total / 100)
    .map(({ label, dispatches, seconds }: KernelTime) => [
      label,
      `${dispatches}`,
      short(seconds * 1e3),
      percent(seconds / total),
    ]);
}
