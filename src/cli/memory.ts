/** The memory plan of a run on this machine's GPU, as `train`, `--dry-run` and `doctor` show it. */
import type { Recipe } from "../config/schema.ts";
import { GpuLimitError } from "../errors.ts";
import { GUARANTEED_LIMITS } from "../gpu/counting.ts";
import { adapterLimits, mib } from "../gpu/device.ts";
import type { ModelConfig } from "../model/config.ts";
import { type Fit, fitRecipe } from "../planner/fit.ts";
import { type MemoryPart, type MemoryPlan, planMemory } from "../planner/plan.ts";
import { formatTable } from "./table.ts";

/**
 * Plans a run.
 * @throws GpuLimitError `gpu/does-not-fit` where it needs more than `gpu.maxMemoryMiB` or larger buffers than the adapter
 * grants; its hint names settings that fit, where there are some
 */
export async function planOnThisGpu(
  recipe: Recipe,
  config: ModelConfig,
  maxSequence: number,
): Promise<MemoryPlan> {
  const budget = recipe.gpu.maxMemoryMiB;
  const options = {
    maxSequence,
    limits: (await adapterLimits()) ?? GUARANTEED_LIMITS,
    budgetBytes: budget === undefined ? undefined : budget * 2 ** 20,
  };
  let found: string;
  let cause: unknown;
  try {
    const plan = planMemory(recipe, config, options);
    if (budget === undefined || plan.totalBytes <= budget * 2 ** 20) return plan;
    found = `it needs ${mib(plan.totalBytes)} of GPU memory, \`gpu.maxMemoryMiB\` allows ${budget} MiB`;
  } catch (error) {
    if (!(error instanceof GpuLimitError)) throw error;
    cause = error;
    found = error.message;
  }
  const fit = fitRecipe(recipe, config, options);
  throw new GpuLimitError("gpu/does-not-fit", `Cannot start this run: ${found}`, {
    cause,
    hint: fit
      ? `It fits with ${settingsLine(fit)} (${mib(fit.plan.totalBytes)}).`
      : "Choose a smaller model or shorter completions: no combination of smaller batches, f16 and LoRA fits.",
  });
}

/** `--set trainer.recompute=true --set …` */
export function settingsLine({ changes }: Fit): string {
  return Object.entries(changes)
    .map(([path, value]) => `--set ${path}=${value}`)
    .join(" ");
}

/** The plan as a table: what for, and how much on the trainer and on each generator. */
export function memoryTable({ trainer, generator, generators, host, totalBytes }: MemoryPlan): string {
  const names = [...new Set([...trainer, ...generator].map(({ what }) => what))];
  const cell = (parts: readonly MemoryPart[], name: string) => {
    const part = parts.find(({ what }) => what === name);
    return part ? mib(part.bytes) : "–";
  };
  const total = (parts: readonly MemoryPart[]) => mib(parts.reduce((sum, { bytes }) => sum + bytes, 0));
  const rows = names.map((name) => [name, cell(trainer, name), cell(generator, name)]);
  const shared = host.map(({ what, bytes }) => `${what} ${mib(bytes)}`).join(", ");
  return [
    formatTable(
      ["GPU memory", "trainer", generators > 1 ? `each of ${generators} generators` : "generator"],
      [...rows, ["in all", total(trainer), total(generator)]],
    ),
    `Together ${mib(totalBytes)}; beside it in the processor's memory: ${shared}`,
  ].join("\n");
}
