/**
 * What a run's newest steps call for, in words: what is seen, and what to do about it. Every rule looks at means over the
 * last steps, because single steps are noise.
 */
import type { ChartId } from "./definitions.ts";
import type { RunTable } from "./run_table.ts";

export interface Alert {
  id: string;
  /** The chart on which it is seen. */
  chart: ChartId;
  /** note: worth knowing. warn: the run is wasting its time or going wrong. */
  level: "note" | "warn";
  message: string;
  /** Settings stand between backquotes. */
  advice: string;
}

export type Rule = (run: RunTable, recipe: Record<string, unknown>) => Alert | null;

/** Steps that are averaged: at the default 256 completions a step, shares are known to within two hundredths. */
export const WINDOW = 10;
