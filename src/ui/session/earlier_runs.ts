/** What this browser knows of the time that steps take: its stored runs. */
import type { Recipe } from "../../config/schema.ts";
import { openRun, recipeHash } from "../../runs/run_directory.ts";
import { type OpenStorage, RUNS } from "../../runs/stored_runs.ts";

/** Runs looked at, the newest first: each takes a file or two to read. */
const LOOKED_AT = 8;

/** What a step does is the same whatever these are. */
function workHash(recipe: Record<string, unknown>): string {
  const { name: _n, description: _d, steps: _s, seed: _r, evaluation: _e, checkpoint: _c, ...work } = recipe;
  return recipeHash(work);
}

/** As `freshRunName` ends names: later is greater. */
const stampOf = (name: string) => /\d{8}-\d{6}(-\d+)?$/.exec(name)?.[0] ?? "";

/** Seconds of each step, from the first on, of the newest run that did the same on the same adapter; none without one. */
export async function earlierSteps(open: OpenStorage, recipe: Recipe, adapter: string): Promise<number[]> {
  const wanted = workHash(recipe as unknown as Record<string, unknown>);
  const names = await open(RUNS).list("");
  names.sort((a, b) => (stampOf(a) < stampOf(b) ? 1 : -1));
  for (const name of names.slice(0, LOOKED_AT)) {
    try {
      const run = await openRun(open(`${RUNS}/${name}`));
      if (workHash(run.recipe) !== wanted) continue;
      const rows = await run.readMetrics();
      if (!rows.some((row) => row.event === "ready" && row.adapter === adapter)) continue;
      const steps = rows.filter((row) => row.event === undefined).map(({ step_time }) => step_time);
      const seconds = steps.filter((value) => typeof value === "number");
      if (seconds.length > 0) return seconds;
    } catch {
      // What cannot be read tells nothing of the time; the list of runs says what is wrong with it.
    }
  }
  return [];
}
