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
  changes: Record<string, Value>;
}

/** Of a setting. */
type Value = number | string | boolean;

/** Rank that is proposed where the whole model cannot be trained. */
const PROPOSED_RANK = 16;
const LEAST_MICRO_BATCH = 256;

interface Change {
  path: string;
  /** The next milder value, or undefined where there is none left. */
  next(recipe: Recipe, config: ModelConfig, options: PlanOptions): Value | undefined;
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
  { path: "generator.workers", next: ({ generator }) => (generator.workers > 1 ? 1 : undefined) },
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
 * are tried in order, each one to its end before the next; then each goes back as far as the others allow.
 */
export function fitRecipe(recipe: Recipe, config: ModelConfig, options: FitOptions = {}): Fit | null {
  let tried = recipe;
  let plan = planIfFits(tried, config, options);
  const taken: { path: string; values: Value[] }[] = [];
  for (const { path, next } of CHANGES) {
    const values: Value[] = [];
    for (let value = next(tried, config, options); !plan && value !== undefined; ) {
      tried = withSetting(tried, path, value);
      values.push(value);
      plan = planIfFits(tried, config, options);
      value = next(tried, config, options);
    }
    if (values.length > 0) taken.push({ path, values });
  }
  if (!plan) return null;
  const changes = Object.fromEntries(taken.map(({ path, values }) => [path, values[values.length - 1]]));
  let kept: Fit = { recipe: tried, plan, changes };
  // The harshest first: what it has taken is best given back.
  for (const { path, values } of taken.reverse()) {
    for (const value of [undefined, ...values.slice(0, -1)]) {
      const milder = withChanges(recipe, { ...kept.changes, [path]: value });
      const fitting = planIfFits(milder.recipe, config, options);
      if (!fitting) continue;
      kept = { ...milder, plan: fitting };
      break;
    }
  }
  return kept;
}

/** The recipe with these changes; those without a value are left out. */
function withChanges(
  recipe: Recipe,
  wanted: Record<string, Value | undefined>,
): Pick<Fit, "recipe" | "changes"> {
  const changes: Fit["changes"] = {};
  let changed = recipe;
  for (const [path, value] of Object.entries(wanted)) {
    if (value === undefined) continue;
    changed = withSetting(changed, path, value);
    changes[path] = value;
  }
  return { recipe: changed, changes };
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

function withSetting(recipe: Recipe, path: string, value: Value): Recipe {
  const copy = structuredClone(recipe);
  const names = path.split(".");
  const last = names.pop() as string;
  let at = copy as unknown as Record<string, unknown>;
  for (const name of names) at = at[name] as Record<string, unknown>;
  at[last] = value;
  return copy;
}
