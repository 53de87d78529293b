/** All rules over a run's newest steps; silent while too little is known. */
import type { Alert } from "./alert_rule.ts";
import { learningRules } from "./learning_rules.ts";
import type { RunTable } from "./run_table.ts";
import { stageRules } from "./stage_rules.ts";

/** Before that many steps nothing is said: the first ones of an async run are made by weights that are not stale yet. */
export const FIRST_WORD = 5;

/** Warnings first. */
export function alertsOf(run: RunTable, recipe: Record<string, unknown>): Alert[] {
  if (run.length < FIRST_WORD) return [];
  return [...learningRules, ...stageRules]
    .map((rule) => rule(run, recipe))
    .filter((alert) => alert !== null)
    .sort((a, b) => Number(b.level === "warn") - Number(a.level === "warn"));
}
