/** The built-in tasks by name: what a recipe's `task.name` and `--task` may say. */
import { suggestionHint } from "../config/suggest.ts";
import { ConfigError } from "../errors.ts";
import type { Task } from "./api.ts";
import { chainSum } from "./chain_sum.ts";
import { countdown } from "./countdown.ts";
import { digits } from "./digits.ts";
import { mixture } from "./mixture.ts";
import { numberComparison } from "./number_comparison.ts";
import { sorting } from "./sorting.ts";

export interface TaskDefinition {
  name: string;
  /** One line for `--help` and the page. */
  summary: string;
  make(options: unknown, seed: number): Task;
}

export const TASKS: readonly TaskDefinition[] = [
  { name: "chain_sum", summary: "Chains of additions and subtractions: 7 + 9 - 5", make: chainSum },
  { name: "countdown", summary: "Make a target from all the numbers, each once", make: countdown },
  { name: "digits", summary: "Continue a digit sequence modulo 9 (verl's learning check)", make: digits },
  {
    name: "number_comparison",
    summary: "Which of two decimal numbers is larger or smaller",
    make: numberComparison,
  },
  { name: "sorting", summary: "Put whole numbers in ascending or descending order", make: sorting },
];

/** One entry of a recipe's `tasks`. */
export interface TaskChoice {
  name: string;
  weight?: number;
  options?: Record<string, unknown>;
}

/**
 * Makes a built-in task.
 * @throws ConfigError where the name or an option is unknown, with the nearest known one as a hint.
 */
export function makeTask(name: string, options: Record<string, unknown> | undefined, seed: number): Task {
  const definition = TASKS.find((task) => task.name === name);
  if (!definition) {
    const names = TASKS.map((task) => task.name);
    throw new ConfigError("config/unknown-task", `Unknown task \`${name}\``, {
      hint: suggestionHint(name, names, "tasks"),
    });
  }
  return definition.make(options, seed);
}

/**
 * Makes a mixture of built-in tasks, or the task itself where there is only one.
 * @throws ConfigError as `makeTask`, and where a weight is not above 0.
 */
export function makeMixture(choices: readonly TaskChoice[], seed: number): Task {
  const parts = choices.map(({ name, weight = 1, options }) => ({
    task: makeTask(name, options, seed),
    weight,
  }));
  return parts.length === 1 && parts[0].weight > 0 ? parts[0].task : mixture(parts, seed);
}
