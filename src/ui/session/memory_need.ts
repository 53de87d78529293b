/** Whether a run's memory fits this GPU, by the planner; what would, where it does not. */
import type { Recipe } from "../../config/schema.ts";
import type { ModelConfig } from "../../model/config.ts";
import { judgeMemory } from "../../planner/judge.ts";
import type { MemoryPlan, PlanOptions } from "../../planner/plan.ts";
import { byteText } from "../parts/format.ts";

export interface MemoryNeed {
  /** Null where its parameters cannot be laid out at all. */
  plan: MemoryPlan | null;
  /** Why it does not fit; null where it does. */
  reason: string | null;
  /** Settings with which it fits, by path, and the bytes it then takes; null where it fits or nothing helps. */
  fit: { changes: Record<string, number | string | boolean>; bytes: number } | null;
  /** What prompts were taken to have at most, in tokens, where they could not be read yet; null: they were read. */
  assumedPrompt: number | null;
}

/** Plans a run and says in the page's words whether it fits a GPU of these limits. */
export function memoryNeed(
  recipe: Recipe,
  config: ModelConfig,
  { assumedPrompt = null, ...options }: PlanOptions & { assumedPrompt?: number | null } = {},
): MemoryNeed {
  const { plan, tooLarge, exceeded, fit } = judgeMemory(recipe, config, options);
  if (plan && !tooLarge && exceeded === null) return { plan, reason: null, fit: null, assumedPrompt };
  const reason = tooLarge?.message ?? `\`gpu.maxMemoryMiB\` allows ${byteText(exceeded ?? 0)}`;
  return { plan, reason, fit: fit && { changes: fit.changes, bytes: fit.plan.totalBytes }, assumedPrompt };
}
