/** Looks for settings with which a run fits: the mildest first, each kept only as far as it is needed. */
import type { Recipe } from "../config/schema.ts";
import { GpuLimitError } from "../errors.ts";
import type { ModelConfig } from "../model/config.ts";
import { allowsFloat16 } from "../model/parameters.ts";
import { type MemoryPlan, type PlanOptions, planMemory } from "./plan.ts";

export interface FitOptions extends PlanOptions {
  /** Bytes of GPU memory that the run may take; only the limits of single buffers count without it. */
  budgetBytes?: number;
}

export interface Fit {
  /** The recipe with the changes made. */
  recipe: Recipe;
  plan: MemoryPlan;
  /** What was changed, by path: empty where it fits as it is. */
  changes: Record<string, number | string | boolean>;
}

/** Rank that is proposed where the whole model cannot be trained. */
const PROPOSED_RANK = 16;
const LEAST_MICRO_BATCH = 256;

interface Change {
  path: string;
  /** The next milder value, or undefined where there is none left. */
  next(recipe: Recipe, config: ModelConfig, options: PlanOptions): number | string | boolean | undefined;
}

/** From what costs nothing but a little time to what changes what is learnt. */
const CHANGES: readonly Change[] = [
  {
    path: "trainer.microBatchTokens",
    next: ({ trainer, generator }, _, { maxSequence = 2 * generator.maxTokens }) => {
      const half = Math.floor(trainer.microBatchTokens / 2);
      return half >= Math.max(LEAST_MICRO_BATCH, maxSequence) ? half : undefined;
    },
  },
  { path: "trainer.recompute", next: ({ trainer }) => (trainer.recompute ? undefined : true) },
  {
    path: "generator.concurrency",
    next: ({ generator, trainer }) => {
      const half = Math.floor(generator.concurrency / 2);
      return half >= trainer.groupSize ? half : undefined;
    },
  },
  {
    path: "generator.cacheDtype",
    next: ({ generator }) => (generator.cacheDtype === "f32" ? "f16" : undefined),
  },
  {
    path: "generator.dtype",
    next: ({ generator }, config) => (generator.dtype === "f32" && allowsFloat16(config) ? "f16" : undefined),
  },
  {
    path: "trainer.lora.rank",
    next: ({ trainer }) => (trainer.lora.rank === 0 ? PROPOSED_RANK : undefined),
  },
  {
    path: "trainer.frozenDtype",
    next: ({ trainer }, config) =>
      trainer.lora.rank > 0 && trainer.frozenDtype === "f32" && allowsFloat16(config) ? "f16" : undefined,
  },
];

/**
 * The recipe itself where it fits, else the first combination of milder settings that does; null where none does. Settings
 * are tried in order, each one to its end before the next.
 */
export function fitRecipe(recipe: Recipe, config: ModelConfig, options: FitOptions = {}): Fit | null {
  let tried = recipe;
  let plan = planIfFits(tried, config, options);
  const changes: Fit["changes"] = {};
  for (const { path, next } of CHANGES) {
    for (let value = next(tried, config, options); !plan && value !== undefined; ) {
      tried = withSetting(tried, path, value);
      changes[path] = value;
      plan = planIfFits(tried, config, options);
      value = next(tried, config, options);
    }
  }
  return plan && sparing({ recipe: tried, plan, changes }, recipe, config, options);
}

/** Takes back the changes without which the others fit as well. */
function sparing(fit: Fit, original: Recipe, config: ModelConfig, options: FitOptions): Fit {
  let kept = fit;
  for (const path of Object.keys(fit.changes)) {
    const { [path]: _, ...changes } = kept.changes;
    const recipe = Object.entries(changes).reduce(
      (made, [at, value]) => withSetting(made, at, value),
      original,
    );
    const plan = planIfFits(recipe, config, options);
    if (plan) kept = { recipe, plan, changes };
  }
  return kept;
}

function planIfFits(recipe: Recipe, config: ModelConfig, options: FitOptions): MemoryPlan | null {
  try {
    const plan = planMemory(recipe, config, options);
    return plan.totalBytes <= (options.budgetBytes ?? Number.POSITIVE_INFINITY) ? plan : null;
  } catch (error) {
    if (error instanceof GpuLimitError) return null;
    throw error;
  }
}

function withSetting(recipe: Recipe, path: string, value: number | string | boolean): Recipe {
  const copy = structuredClone(recipe);
  const names = path.split(".");
  const last = names.pop() as string;
  let at = copy as unknown as Record<string, unknown>;
  for (const name of names) at = at[name] as Record<string, unknown>;
  at[last] = value;
  return copy;
}
