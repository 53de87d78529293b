/**
 * The recipe's schema: the one source of its types, defaults, bounds, help and documents. The page and the command
 * line read the same JSON through it. Knows no stage; fields are laid out one file per stage beside this one.
 */
import * as v from "valibot";
import { checkpointSchema } from "./checkpoint.ts";
import { dataSchema } from "./dataset.ts";
import { evaluationSchema } from "./evaluation.ts";
import { choice, group, text, textOrNone, whole } from "./field.ts";
import { generatorSchema } from "./generator.ts";
import { taskSchema, tasksSchema } from "./task.ts";
import { trainerSchema } from "./trainer.ts";
import { verifierSchema } from "./verifier.ts";
import { gpuSchema, weightsSchema } from "./weights.ts";

export const recipeSchema = group("A recipe: everything a run depends on", {
  name: text({ default: "run", level: "basic", description: "Name of the recipe and of its run directory" }),
  description: text({ default: "", description: "What the recipe is for" }),
  extends: textOrNone({
    derived: "none",
    description: "Recipe whose settings hold where this one has none: a name or a path from this file",
  }),
  seed: whole({
    default: 0,
    min: 0,
    max: 4294967295,
    level: "basic",
    description: "Keys every random number of the run",
  }),
  steps: whole({
    default: 30,
    min: 1,
    max: 1000000,
    unit: "optimiser batches",
    level: "basic",
    description: "Batches to train on",
    source: "prototype",
  }),
  model: text({
    default: "builtin:chain-sum",
    level: "basic",
    description:
      "Policy to start from: `builtin:NAME`, a folder in Hugging Face layout, llama2.c's FILE.bin, or a hub id `owner/name`",
  }),
  mode: choice({
    choices: ["async", "sync"],
    default: "async",
    level: "basic",
    description: "Generate while training, or take turns (bit-reproducible from the seed)",
    source: "arXiv:2506.10910 §3",
  }),
  task: v.optional(taskSchema),
  tasks: v.optional(tasksSchema),
  data: v.optional(dataSchema),
  generator: v.optional(generatorSchema, {}),
  verifier: v.optional(verifierSchema, {}),
  trainer: v.optional(trainerSchema, {}),
  weights: v.optional(weightsSchema, {}),
  evaluation: v.optional(evaluationSchema, {}),
  checkpoint: v.optional(checkpointSchema, {}),
  gpu: v.optional(gpuSchema, {}),
});

type Parsed = v.InferOutput<typeof recipeSchema>;
type Filled<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };

/** A recipe as it is written: every field may be absent. */
export type RecipeInput = v.InferInput<typeof recipeSchema>;

/** A whole recipe: checked, defaults and derived values filled in, exactly one of `task`, `tasks`, `data` present. */
export type Recipe = Omit<Parsed, "extends" | "verifier" | "trainer" | "evaluation"> & {
  verifier: Filled<Parsed["verifier"], "weights" | "lengthMax" | "lengthCache">;
  trainer: Filled<
    Parsed["trainer"],
    "maxLength" | "advantage" | "epsilonLow" | "epsilonHigh" | "klBeta" | "ratioCap"
  >;
  evaluation: Filled<Parsed["evaluation"], "maxTokens">;
};

/** Fields as the schema yields them, before derived values are filled in. */
export type ParsedRecipe = Parsed;

/** One task of the mixture a recipe trains on. */
export interface TaskShare {
  name: string;
  weight: number;
  options: Record<string, unknown>;
}

/** Lists the tasks of a recipe with their weights; empty where problems come from a file. */
export function taskMixture(recipe: Recipe): TaskShare[] {
  if (recipe.tasks) return recipe.tasks;
  return recipe.task ? [{ ...recipe.task, weight: 1 }] : [];
}
