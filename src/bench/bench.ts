/**
 * Runs the benchmarks on an open device: peaks, kernels, whole steps, each figure handed out as it is known. The
 * command line and the browser entry call it; browser-safe, prints nothing.
 */
import type { Gpu } from "../gpu/device.ts";
import { type ModelConfig, parseModelConfig } from "../model/config.ts";
import { smallLlamaConfig } from "../model/init.ts";
import { kernelCases } from "./cases.ts";
import { halfForms, type KernelCase } from "./kernel_case.ts";
import { measurePeaks, type Peaks } from "./peaks.ts";
import { SMALL_SHAPE, shapeSet, WIDE_SHAPE } from "./shapes.ts";
import { measureGenerator, measureTrainer, type StepFigure } from "./steps.ts";
import { Stopwatch, type TimeSource } from "./stopwatch.ts";

export interface BenchOptions {
  /** Only the kernels and steps whose name contains this. */
  only?: string;
  /** Timed samples of each; the median counts. */
  repeats: number;
  /** The model's `config.json`, whose shapes are measured; the built-in policy's and a wide model's without it. */
  model?: Record<string, unknown>;
  signal?: AbortSignal;
}

export interface KernelFigure {
  name: string;
  /** Name of the set of sizes. */
  set: string;
  /** Sizes as the kernel takes them. */
  dims: Readonly<Record<string, number>>;
  /** Median seconds of one dispatch. */
  seconds: number;
  flops: number;
  bytes: number;
  gflopsPerSecond: number;
  gbPerSecond: number;
  /** What the peaks allow at most: the larger of arithmetic and memory time over the measured time. */
  roofline: number;
  bound: "arithmetic" | "memory";
}

export type BenchEvent =
  | { event: "adapter"; adapter: string; timing: TimeSource }
  | ({ event: "peaks" } & Peaks)
  | ({ event: "kernel" } & KernelFigure)
  | ({ event: "step"; roofline: number; gflopsPerSecond: number } & StepFigure);

/** Trainer and generator, by the names their figures bear. */
const STEPS = { "trainer step": measureTrainer, "generator chunk": measureGenerator };

/** The shape that the built-in policies have. */
export function builtinConfig(): ModelConfig {
  return smallLlamaConfig({
    vocabSize: SMALL_SHAPE.vocab,
    width: SMALL_SHAPE.width,
    layers: 2,
    heads: SMALL_SHAPE.heads,
    kvHeads: SMALL_SHAPE.kvHeads,
    mlpWidth: SMALL_SHAPE.mlpWidth,
    maxPositions: 256,
    eosId: 1,
    padId: 0,
  });
}

/** Measures what `options` choose and hands every figure to `onEvent`. @throws GpuLimitError, ShaderError, DataError */
export async function runBench(
  gpu: Gpu,
  options: BenchOptions,
  onEvent: (event: BenchEvent) => void,
): Promise<void> {
  const { only = "", repeats, model, signal } = options;
  const config = model ? parseModelConfig(model) : builtinConfig();
  const sets = model ? [shapeSet("model", config)] : [SMALL_SHAPE, WIDE_SHAPE];
  using stopwatch = await Stopwatch.create(gpu);
  onEvent({ event: "adapter", adapter: gpu.adapterName, timing: stopwatch.source });
  const peaks = await measurePeaks(stopwatch);
  onEvent({ event: "peaks", ...peaks });
  for (const one of kernelCases(sets, halfForms(gpu))) {
    if (signal?.aborted) return;
    if (!one.name.includes(only)) continue;
    onEvent({ event: "kernel", ...(await measureKernel(stopwatch, one, repeats, peaks)) });
  }
  for (const [name, measure] of Object.entries(STEPS)) {
    if (signal?.aborted) return;
    if (!name.includes(only)) continue;
    const figure = await measure(stopwatch, config, Math.min(repeats, 3));
    const rate = figure.flops / figure.seconds;
    onEvent({
      event: "step",
      ...figure,
      gflopsPerSecond: rate / 1e9,
      roofline: rate / peaks.flopsPerSecond,
    });
  }
}

/** Times one kernel and sets it against the peaks. */
export async function measureKernel(
  stopwatch: Stopwatch,
  { name, set, dims, flops, bytes, prepare }: KernelCase,
  repeats: number,
  peaks: Peaks,
): Promise<KernelFigure> {
  using prepared = await prepare(stopwatch.gpu);
  const { seconds } = await stopwatch.time((recorder) => prepared.encode(recorder), repeats);
  return { name, set, dims, seconds, flops, bytes, ...against(peaks, { seconds, flops, bytes }) };
}

/** Rates, and the share of what the slower of the two peaks would allow; above 1 where a cache holds the operands. */
export function against(
  peaks: Peaks,
  { seconds, flops, bytes }: { seconds: number; flops: number; bytes: number },
): Pick<KernelFigure, "gflopsPerSecond" | "gbPerSecond" | "roofline" | "bound"> {
  const arithmetic = flops / peaks.flopsPerSecond;
  const memory = bytes / peaks.bytesPerSecond;
  return {
    gflopsPerSecond: flops / seconds / 1e9,
    gbPerSecond: bytes / seconds / 1e9,
    roofline: Math.max(arithmetic, memory) / seconds,
    bound: arithmetic > memory ? "arithmetic" : "memory",
  };
}
