/** Whether a run's memory fits this GPU, by the planner; what would, where it does not. */
import type { Recipe } from "../../config/schema.ts";
import { GpuLimitError } from "../../errors.ts";
import { GUARANTEED_LIMITS } from "../../gpu/counting.ts";
import type { ModelConfig } from "../../model/config.ts";
import { fitRecipe } from "../../planner/fit.ts";
import { type MemoryPlan, type PlanOptions, planMemory, UNLIMITED } from "../../planner/plan.ts";
import { byteText } from "./preflight.ts";

export interface MemoryNeed {
  /** Null where its parameters cannot be laid out at all. */
  plan: MemoryPlan | null;
  /** Why it does not fit; null where it does. */
  reason: string | null;
  /** Settings with which it fits, by path, and the bytes it then takes; null where it fits or nothing helps. */
  fit: { changes: Record<string, number | string | boolean>; bytes: number } | null;
}

/** Plans a run and holds it to `gpu.maxMemoryMiB` and to what a GPU of these limits grants one buffer. */
export function memoryNeed(
  recipe: Recipe,
  config: ModelConfig,
  { limits = GUARANTEED_LIMITS, maxSequence }: PlanOptions = {},
): MemoryNeed {
  const { maxMemoryMiB } = recipe.gpu;
  const budgetBytes = maxMemoryMiB === undefined ? undefined : maxMemoryMiB * 2 ** 20;
  let plan: MemoryPlan | null = null;
  let reason: string;
  try {
    // Without limits first: the parts are wanted also where a single buffer is too large.
    plan = planMemory(recipe, config, { maxSequence, limits: UNLIMITED });
    planMemory(recipe, config, { maxSequence, limits });
    if (budgetBytes === undefined || plan.totalBytes <= budgetBytes) return { plan, reason: null, fit: null };
    reason = `\`gpu.maxMemoryMiB\` ${maxMemoryMiB} allows ${byteText(budgetBytes)}`;
  } catch (error) {
    if (!(error instanceof GpuLimitError)) throw error;
    reason = error.message;
  }
  const fit = fitRecipe(recipe, config, { maxSequence, limits, budgetBytes });
  return { plan, reason, fit: fit && { changes: fit.changes, bytes: fit.plan.totalBytes } };
}
