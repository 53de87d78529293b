/** Whether a run's memory fits, and what would where it does not; front ends put it into words. */
import type { Recipe } from "../config/schema.ts";
import { GpuLimitError } from "../errors.ts";
import { GUARANTEED_LIMITS } from "../gpu/counting.ts";
import type { ModelConfig } from "../model/config.ts";
import { type Fit, fitRecipe } from "./fit.ts";
import { type MemoryPlan, type PlanOptions, planMemory, UNLIMITED } from "./plan.ts";

export interface MemoryJudgement {
  /** What the run needs, also where it does not fit; null where its parameters cannot be laid out at all. */
  plan: MemoryPlan | null;
  /** The first buffer that is larger than the GPU grants; null where none is. */
  tooLarge: GpuLimitError | null;
  /** Bytes of `gpu.maxMemoryMiB` where the plan needs more; else null. */
  exceeded: number | null;
  /** The recipe, changed as far as it has to be; null where nothing helps. */
  fit: Fit | null;
}

/** Holds a run's plan to `gpu.maxMemoryMiB` and to what a GPU of these limits grants one buffer. */
export function judgeMemory(
  recipe: Recipe,
  config: ModelConfig,
  { limits = GUARANTEED_LIMITS, maxSequence }: PlanOptions = {},
): MemoryJudgement {
  const { maxMemoryMiB } = recipe.gpu;
  const budgetBytes = maxMemoryMiB === undefined ? undefined : maxMemoryMiB * 2 ** 20;
  let plan: MemoryPlan | null = null;
  let tooLarge: GpuLimitError | null = null;
  try {
    // Without limits first: the parts are wanted also where a single buffer is too large.
    plan = planMemory(recipe, config, { maxSequence, limits: UNLIMITED });
    planMemory(recipe, config, { maxSequence, limits });
  } catch (error) {
    if (!(error instanceof GpuLimitError)) throw error;
    tooLarge = error;
  }
  const over = plan !== null && budgetBytes !== undefined && plan.totalBytes > budgetBytes;
  const exceeded = over ? budgetBytes : null;
  if (plan && !tooLarge && exceeded === null)
    return { plan, tooLarge, exceeded, fit: { recipe, plan, changes: {} } };
  return { plan, tooLarge, exceeded, fit: fitRecipe(recipe, config, { maxSequence, limits, budgetBytes }) };
}
