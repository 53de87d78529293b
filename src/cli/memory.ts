/** Whether a run fits this machine's GPU, and what would, as `train`, `--dry-run` and `doctor` say it. */
import type { Recipe } from "../config/schema.ts";
import { rowOptions } from "../data/problems.ts";
import type { ModelText } from "../data/source.ts";
import { GpuLimitError } from "../errors.ts";
import { adapterLimits, mib } from "../gpu/device.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Fit } from "../planner/fit.ts";
import { judgeMemory } from "../planner/judge.ts";
import { MEMORY_KINDS, type MemoryPart, type MemoryPlan } from "../planner/plan.ts";
import type { Problem } from "../rollout.ts";
import { surveyTask } from "../stages.ts";
import type { CommandContext } from "./command.ts";
import { openPolicy } from "./models.ts";
import { openProblems } from "./problems.ts";
import { formatTable } from "./table.ts";

/** What is known of a run before any weights are. */
export interface RunSurvey {
  /** Without weights, where they are still on the hub. */
  model: ModelText;
  problems: Problem[] | undefined;
  /** Longest prompt and completion together, in tokens. */
  maxSequence: number;
  /** Bytes of weights that are still on the hub. */
  missingBytes: number;
}

/** Opens what a recipe names but for weights on the hub. @throws ConfigError, DataError */
export async function surveyRun(recipe: Recipe, context: CommandContext): Promise<RunSurvey> {
  let missingBytes = 0;
  const model = await openPolicy(recipe.model, context, {
    only: "text",
    onMissing: (bytes) => {
      missingBytes += bytes;
    },
  });
  const problems = recipe.data
    ? await openProblems(recipe.data.file, rowOptions(recipe.data), context)
    : undefined;
  const { maxSequence } = await surveyTask({ recipe, model, problems });
  return { model, problems, maxSequence, missingBytes };
}

/** Whether a run fits. */
export interface MemoryVerdict {
  /** What it needs, also where it does not fit; null where its parameters cannot be laid out at all. */
  plan: MemoryPlan | null;
  /** Why it does not fit, in words; null where it does. */
  reason: string | null;
  /** The same as an error, `gpu/does-not-fit`; its hint names settings that fit, where there are some. */
  refusal: GpuLimitError | null;
  /** The recipe changed so that it fits; null where nothing helps. */
  fit: Fit | null;
}

/** Plans a run for this machine's best adapter. */
export async function judgeRun(
  recipe: Recipe,
  config: ModelConfig,
  maxSequence: number,
): Promise<MemoryVerdict> {
  const limits = (await adapterLimits()) ?? undefined;
  const { plan, tooLarge, exceeded, fit } = judgeMemory(recipe, config, { limits, maxSequence });
  if (plan && !tooLarge && exceeded === null) return { plan, reason: null, refusal: null, fit };
  const reason =
    tooLarge?.message ??
    `it needs ${mib(plan?.totalBytes ?? 0)} of GPU memory, \`gpu.maxMemoryMiB\` allows ${recipe.gpu.maxMemoryMiB} MiB`;
  const refusal = new GpuLimitError("gpu/does-not-fit", `Cannot start this run: ${reason}`, {
    cause: tooLarge ?? undefined,
    hint: fit
      ? `It fits with ${settingsLine(fit)} (${mib(fit.plan.totalBytes)}); \`npm run train\` makes these changes with --fit.`
      : "Choose a smaller model or shorter completions: no combination of smaller batches, f16 and LoRA fits.",
  });
  return { plan, reason, refusal, fit };
}

/** `--set trainer.recompute=true --set …` */
export function settingsLine({ changes }: Fit): string {
  return Object.entries(changes)
    .map(([path, value]) => `--set ${path}=${value}`)
    .join(" ");
}

/** The plan as a table: what for, and how much on the trainer and on each generator. */
export function memoryTable({ trainer, generator, generators, host, totalBytes }: MemoryPlan): string {
  const all = [...trainer, ...generator].map(({ what }) => what);
  const names = MEMORY_KINDS.filter((what) => all.includes(what));
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
