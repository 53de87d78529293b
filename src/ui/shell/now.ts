/** The few figures of a run that are shown large. */
import type { EvaluationRow, StepRow } from "../state/records.ts";

export function currentRow(steps: readonly StepRow[]): StepRow | null {
  return steps.at(-1) ?? null;
}

/** The reward of each step; index 0 is the start, of which nothing is known. */
export function rewardsOf(steps: readonly StepRow[]): (number | null)[] {
  return [null, ...steps.map((row) => row.reward ?? null)];
}

/** Shares of held-out problems solved at the first try, before and after training. */
export function solvedShares(evaluations: readonly EvaluationRow[]): {
  before: number | null;
  after: number | null;
} {
  const shareOf = (row?: EvaluationRow) => row?.metrics["pass@1"] ?? null;
  return {
    before: shareOf(evaluations.find(({ when }) => when === "before")),
    // A run that was trained on after its end has more than one evaluation after training.
    after: shareOf(evaluations.findLast(({ when }) => when !== "before")),
  };
}
