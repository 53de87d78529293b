/**
 * LoRA (arXiv:2106.09685) inside the decoder: y += scale · (x·Aᵀ)·Bᵀ beside every targeted linear layer. The adapters of
 * a block's modules lie stacked, so that a block costs two dispatches more, however many modules are targeted.
 */
import type { BufferView } from "../gpu/buffer.ts";
import type { Gpu } from "../gpu/device.ts";
import type { AnyKernel } from "../gpu/kernel.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { FusedDims } from "../kernels/lora/fused_modules.ts";
import { loraBackwardExpand } from "../kernels/lora/lora_backward_expand.ts";
import { loraBackwardExpandVec4 } from "../kernels/lora/lora_backward_expand_vec4.ts";
import { loraBackwardHidden } from "../kernels/lora/lora_backward_hidden.ts";
import { loraBackwardHiddenVec4 } from "../kernels/lora/lora_backward_hidden_vec4.ts";
import { loraExpand } from "../kernels/lora/lora_expand.ts";
import { loraExpandVec4 } from "../kernels/lora/lora_expand_vec4.ts";
import { type AdapterSettings, adapterScale } from "./adapters/config.ts";
import { type AdaptedModule, adapterBlocks, layoutAdapters } from "./adapters/layout.ts";
import type { ModelConfig } from "./config.ts";
import { encodeLinear, encodeLinearBackwardInput, encodeLinearBackwardWeight } from "./linear.ts";
import { Parameters } from "./parameters.ts";
import type { FusedBlock, HiddenWidths, LayerActivations } from "./workspace.ts";

export const ADAPTER_KERNELS: readonly AnyKernel[] = [
  loraExpand,
  loraExpandVec4,
  loraBackwardHidden,
  loraBackwardHiddenVec4,
  loraBackwardExpand,
  loraBackwardExpandVec4,
];

/** Adapters of one model on one device; f32 throughout. */
export class Adapters implements Disposable {
  readonly parameters: Parameters;
  readonly settings: AdapterSettings;
  readonly rank: number;
  readonly scale: number;
  readonly hiddenWidths: HiddenWidths;
  private readonly blocks: ReadonlyMap<FusedBlock, readonly AdaptedModule[]>;

  /** Zeroed: they change nothing. @throws GpuLimitError */
  constructor(gpu: Gpu, config: ModelConfig, settings: AdapterSettings) {
    this.parameters = new Parameters(gpu, layoutAdapters(config, settings), "adapters");
    this.settings = settings;
    this.rank = settings.rank;
    this.scale = adapterScale(settings);
    this.blocks = adapterBlocks(config, settings);
    this.hiddenWidths = adapterHiddenWidths(config, settings);
  }

  /** The targeted modules of a block, or undefined. */
  modules(block: FusedBlock): readonly AdaptedModule[] | undefined {
    return this.blocks.get(block);
  }

  [Symbol.dispose](): void {
    this.parameters[Symbol.dispose]();
  }
}

/** Widths of the buffers that adapters need beside a layer's activations. */
export function adapterHiddenWidths(config: ModelConfig, settings: AdapterSettings): HiddenWidths {
  const blocks = [...adapterBlocks(config, settings)];
  return Object.fromEntries(blocks.map(([block, modules]) => [block, modules.length * settings.rank]));
}

/** A linear layer of the frozen model, as the adapters beside it see it. */
export interface AdaptedLayer {
  layer: number;
  block: FusedBlock;
  rows: number;
  /** Width of x. */
  inputs: number;
  /** Width of y. */
  outputs: number;
}

/** Records the adapters' hidden rows x·Aᵀ alone, for a backward pass that computes activations again. */
export function encodeAdapterHidden(
  recorder: Recorder,
  adapters: Adapters,
  { layer, block, rows, inputs }: Omit<AdaptedLayer, "outputs">,
  { x, activations }: { x: BufferView; activations: LayerActivations },
): void {
  const modules = adapters.modules(block);
  const hidden = activations.hidden[block];
  if (!modules || !hidden) return;
  encodeLinear(
    recorder,
    { x, weight: adapters.parameters.view(`${layer}.${block}.a`), bias: null, y: hidden },
    { rows, inputs, outputs: modules.length * adapters.rank },
  );
}

/** Records what the adapters add to y (N, O), from x (N, I); their hidden rows stay in `activations`. */
export function encodeAdapters(
  recorder: Recorder,
  adapters: Adapters,
  { layer, block, rows, inputs, outputs }: AdaptedLayer,
  { x, y, activations }: { x: BufferView; y: BufferView; activations: LayerActivations },
): void {
  const modules = adapters.modules(block);
  const hidden = activations.hidden[block];
  if (!modules || !hidden) return;
  const { parameters } = adapters;
  encodeAdapterHidden(recorder, adapters, { layer, block, rows, inputs }, { x, activations });
  const dims = moduleDims(adapters, modules, rows, outputs);
  const kernel = divisible(dims) ? loraExpandVec4 : loraExpand;
  kernel.encode(recorder, { hidden, b: parameters.view(`${layer}.${block}.b`), y }, dims);
}

/**
 * Records the adapters' backward pass: adds to their gradients and, where `dx` is given, to it. Follows the layer's own,
 * which has written dx.
 */
export function encodeAdaptersBackward(
  recorder: Recorder,
  { adapters, gradients, dHidden }: { adapters: Adapters; gradients: Parameters; dHidden: BufferView },
  { layer, block, rows, inputs, outputs }: AdaptedLayer,
  views: { x: BufferView; dy: BufferView; dx: BufferView; activations: LayerActivations },
): void {
  const modules = adapters.modules(block);
  const hidden = views.activations.hidden[block];
  if (!modules || !hidden) return;
  const { x, dy, dx } = views;
  const keyA = `${layer}.${block}.a`;
  const keyB = `${layer}.${block}.b`;
  const dims = moduleDims(adapters, modules, rows, outputs);
  const expand = divisible(dims) ? loraBackwardExpandVec4 : loraBackwardExpand;
  expand.encode(recorder, { dy, hidden, db: gradients.view(keyB) }, { ...dims, accumulate: 1 });
  const hide = divisible(dims) ? loraBackwardHiddenVec4 : loraBackwardHidden;
  hide.encode(recorder, { dy, b: adapters.parameters.view(keyB), dhidden: dHidden }, dims);
  const down = { rows, inputs, outputs: modules.length * adapters.rank };
  encodeLinearBackwardWeight(recorder, { dy: dHidden, x, dweight: gradients.view(keyA) }, down);
  encodeLinearBackwardInput(
    recorder,
    { dy: dHidden, weight: adapters.parameters.view(keyA), dx, accumulate: true },
    down,
  );
}

function divisible({
  rank,
  y_stride,
  start_0,
  start_1,
  start_2,
  width_0,
  width_1,
  width_2,
}: FusedDims): boolean {
  const sizes = [rank, y_stride, start_0, start_1, start_2, width_0, width_1, width_2];
  return sizes.every((size) => size % 4 === 0);
}

function moduleDims(
  { rank, scale }: Adapters,
  modules: readonly AdaptedModule[],
  rows: number,
  width: number,
): FusedDims {
  const of = (i: number) => modules[i] ?? { start: 0, width: 0 };
  return {
    rows,
    rank,
    y_stride: width,
    modules: modules.length,
    start_0: of(0).start,
    width_0: of(0).width,
    start_1: of(1).start,
    width_1: of(1).width,
    start_2: of(2).start,
    width_2: of(2).width,
    scale,
  };
}
