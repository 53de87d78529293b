/**
 * Where adapters lie. A fused block of the decoder has one pair of matrices: its modules' A (R, I) stacked row below row,
 * and their B (width, R) likewise, so that the kernels of shaders/lora take all modules of a block at once.
 */
import type { ModelConfig } from "../config.ts";
import { type BlockDraft, layoutBlocks, type ParameterLayout } from "../layout.ts";
import type { FusedBlock } from "../workspace.ts";
import { type AdapterModule, type AdapterSettings, MODULE_PARENTS } from "./config.ts";

/** A targeted module of a fused block. */
export interface AdaptedModule {
  module: AdapterModule;
  /** Its first column of the block's y. */
  start: number;
  /** Its columns. */
  width: number;
}

interface Fused {
  /** I */
  inputs: number;
  /** Widths in the order of y's columns. */
  modules: [AdapterModule, number][];
}

function fusedBlocks(c: ModelConfig): Record<FusedBlock, Fused> {
  const q = c.heads * c.headDim;
  const kv = c.kvHeads * c.headDim;
  const qkv: Fused["modules"] = [
    ["q_proj", q],
    ["k_proj", kv],
    ["v_proj", kv],
  ];
  const gateUp: Fused["modules"] = [
    ["gate_proj", c.mlpWidth],
    ["up_proj", c.mlpWidth],
  ];
  return {
    qkv: { inputs: c.width, modules: qkv },
    o: { inputs: q, modules: [["o_proj", c.width]] },
    gate_up: { inputs: c.width, modules: gateUp },
    down: { inputs: c.mlpWidth, modules: [["down_proj", c.width]] },
  };
}

/** The targeted modules of each fused block that has some, in the order of its columns; the same in every layer. */
export function adapterBlocks(
  config: ModelConfig,
  { targets }: AdapterSettings,
): Map<FusedBlock, AdaptedModule[]> {
  const blocks = new Map<FusedBlock, AdaptedModule[]>();
  for (const [block, { modules }] of Object.entries(fusedBlocks(config))) {
    const adapted: AdaptedModule[] = [];
    let start = 0;
    for (const [module, width] of modules) {
      if (targets.includes(module)) adapted.push({ module, start, width });
      start += width;
    }
    if (adapted.length > 0) blocks.set(block as FusedBlock, adapted);
  }
  return blocks;
}

/** The two matrices of one module in one layer. */
export interface AdapterPlace {
  /** The tensor of the model that they change, (outputs, inputs). */
  base: string;
  /** (R, inputs), under its name in PEFT's files. */
  a: string;
  /** (outputs, R) */
  b: string;
  outputs: number;
  inputs: number;
}

/** Every pair of matrices, layer by layer, in the order of the blocks. */
export function adapterPlaces(config: ModelConfig, settings: AdapterSettings): AdapterPlace[] {
  return Array.from({ length: config.layers }, (_, layer) =>
    [...adapterBlocks(config, settings).keys()].flatMap((block) => placesOf(config, settings, layer, block)),
  ).flat();
}

function placesOf(
  config: ModelConfig,
  settings: AdapterSettings,
  layer: number,
  block: FusedBlock,
): AdapterPlace[] {
  const { inputs } = fusedBlocks(config)[block];
  return (adapterBlocks(config, settings).get(block) ?? []).map(({ module, width }) => {
    const path = `model.layers.${layer}.${MODULE_PARENTS[module]}.${module}`;
    const adapter = `base_model.model.${path}`;
    return {
      base: `${path}.weight`,
      a: `${adapter}.lora_A.weight`,
      b: `${adapter}.lora_B.weight`,
      outputs: width,
      inputs,
    };
  });
}

/**
 * Lays adapters out: blocks `0.qkv.a`, `0.qkv.b`, … of every targeted fused block, tensors under PEFT's names. All are
 * matrices and get weight decay.
 * @throws GpuLimitError when a block exceeds a binding
 */
export function layoutAdapters(config: ModelConfig, settings: AdapterSettings): ParameterLayout {
  const drafts: BlockDraft[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    for (const block of adapterBlocks(config, settings).keys()) {
      const places = placesOf(config, settings, layer, block);
      const { rank } = settings;
      drafts.push(
        {
          key: `${layer}.${block}.a`,
          matrices: true,
          tensors: places.map(({ a, inputs }) => ({ name: a, shape: [rank, inputs] })),
        },
        {
          key: `${layer}.${block}.b`,
          matrices: true,
          tensors: places.map(({ b, outputs }) => ({ name: b, shape: [outputs, rank] })),
        },
      );
    }
  }
  return layoutBlocks(drafts);
}
