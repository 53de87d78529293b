/** What the rollouts view is showing; kept while another view is open. */
import { signal } from "@preact/signals";
import { selectedRollout } from "../../state/app.ts";
import type { RolloutRow } from "../../state/records.ts";
import type { RunFeed } from "../../state/run_feed.ts";
import { RolloutIndex, TrainerVersions } from "./group_index.ts";
import type { HeatKind } from "./heat.ts";
import { NO_FILTER, type RowFilter } from "./row_filter.ts";

export const stepChoice = signal<number | "newest">("newest");
export const scope = signal<"step" | "run">("step");
export const filter = signal<RowFilter>(NO_FILTER);
export const page = signal<"groups" | "evaluation">("groups");
export const heat = signal<HeatKind>("logprob");
/** Values written under the tokens. */
export const numbers = signal(false);
/** On a narrow screen: the completion instead of the list. */
export const detailOpen = signal(false);
/** The token whose record is shown; it stays while the completion does. */
export const activeToken = signal(0);

export interface Browsed {
  index: RolloutIndex;
  trainer: TrainerVersions;
}

const browsed = new WeakMap<RunFeed, Browsed>();

/** The run's rows in order, brought up to date. */
export function browse(run: RunFeed): Browsed {
  let known = browsed.get(run);
  if (!known) {
    const { minibatches } = (run.recipe.trainer ?? {}) as { minibatches?: unknown };
    known = {
      index: new RolloutIndex(),
      trainer: new TrainerVersions(typeof minibatches === "number" ? minibatches : 1),
    };
    browsed.set(run, known);
  }
  known.trainer.update(run.steps);
  known.index.update(run.rollouts);
  return known;
}

let ownChoice: number | null = null;

/** Whether a completion was chosen in this view, and not pointed at by another. */
export const isOwnChoice = (id: number) => id === ownChoice;

/** Opens a completion and stays at its step. */
export function choose(row: RolloutRow): void {
  if (selectedRollout.value !== row.id) activeToken.value = 0;
  ownChoice = row.id;
  selectedRollout.value = row.id;
  stepChoice.value = row.step;
}

/** Looks at a token. Whoever does so keeps the completion, also while the newest ones are followed. */
export function examine(row: RolloutRow, position: number): void {
  if (selectedRollout.value !== row.id) choose(row);
  activeToken.value = position;
}

/** Goes to a step, or with the newest; what was chosen elsewhere is let go. */
export function goToStep(step: number | "newest"): void {
  stepChoice.value = step;
  selectedRollout.value = null;
  activeToken.value = 0;
}

let browsedRun = "";

/** Lets go of what was chosen in another run, where ids and steps mean something else; what a link points at is kept. */
export function turnTo(run: string): void {
  const isOwn = selectedRollout.value === null || isOwnChoice(selectedRollout.value);
  if (browsedRun !== "" && browsedRun !== run && isOwn) goToStep("newest");
  browsedRun = run;
}

export function setFilter(change: Partial<RowFilter>): void {
  filter.value = { ...filter.value, ...change };
}
