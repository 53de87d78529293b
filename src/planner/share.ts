/** How a run's budget of GPU memory is divided among its devices: trainer and generators have one each. */
import type { Recipe } from "../config/schema.ts";
import type { ModelConfig } from "../model/config.ts";
import { planMemory, UNLIMITED } from "./plan.ts";

/** Bytes that each device may take; undefined where the recipe sets no limit. */
export interface MemoryShares {
  trainer?: number;
  /** Of one generator. */
  generator?: number;
}

/** `gpu.maxMemoryMiB` divided as the plan's needs are, so that what is left over is left to each in proportion. */
export function memoryShares(recipe: Recipe, config: ModelConfig, maxSequence: number): MemoryShares {
  const budget = recipe.gpu.maxMemoryMiB;
  if (budget === undefined) return {};
  const { trainerBytes, generatorBytes, generators, totalBytes } = planMemory(recipe, config, {
    maxSequence,
    limits: UNLIMITED,
  });
  const scale = (budget * 2 ** 20) / totalBytes;
  return { trainer: trainerBytes * scale, generator: (generatorBytes / generators) * scale };
}
