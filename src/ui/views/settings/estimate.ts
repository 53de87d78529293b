/** One line on what a recipe's model and memory come to. Fetched after the form, since it knows the model's layout. */

import { readModelName } from "../../../config/model_name.ts";
import type { Recipe } from "../../../config/schema.ts";
import { countParameters, type ModelConfig, parseModelConfig } from "../../../model/config.ts";
import { planMemory } from "../../../planner/plan.ts";

const configs = new Map<string, Promise<ModelConfig>>();

async function fetchConfig(name: string): Promise<ModelConfig> {
  const response = await fetch(new URL(`models/${name}/config.json`, document.baseURI));
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return parseModelConfig(await response.json());
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString("en-US")} MiB`;

/** Parameters in three digits: `0.42 M`. */
export function showCount(count: number): string {
  const [size, unit] = count >= 1e9 ? [1e9, "G"] : count >= 1e6 / 2 ? [1e6, "M"] : [1e3, "k"];
  return `${Number((count / size).toPrecision(3))} ${unit}`;
}

/** The line for a recipe whose model is known. */
export function estimateLine(recipe: Recipe, config: ModelConfig): string {
  const { trainerBytes: trainer, generatorBytes: generators } = planMemory(recipe, config);
  const total = mebibytes(trainer + generators);
  const parts = `trainer ${mebibytes(trainer)}, generators ${mebibytes(generators)}`;
  return `${showCount(countParameters(config))} parameters · about ${total} of GPU memory (${parts})`;
}

/** The line, or null where the recipe's model does not lie beside the page. */
export async function estimate(recipe: Recipe): Promise<string | null> {
  const model = readModelName(recipe.model);
  if (model.kind !== "builtin") return null;
  let config = configs.get(model.name);
  if (!config) {
    config = fetchConfig(model.name);
    configs.set(model.name, config);
  }
  try {
    return estimateLine(recipe, await config);
  } catch {
    configs.delete(model.name);
    return null; // The preflight says what is wrong with a model; this line only informs.
  }
}
