/** The same problem answered at different times: before and after training, and wherever a run met it. */
import type { EvaluationRow, RolloutRow, SampleCompletion } from "../../state/records.ts";
import { type Group, meanReward, type RolloutIndex } from "./group_index.ts";

/** A held-out problem before training and at a later evaluation: the same prompt with the same seed. */
export interface EvaluationPair {
  prompt: string;
  before: SampleCompletion;
  after: SampleCompletion | null;
}

/** The evaluation before training, and those that can stand beside it. */
export function evaluationsToCompare(evaluations: readonly EvaluationRow[]): {
  before: EvaluationRow | null;
  later: EvaluationRow[];
} {
  const withSamples = evaluations.filter(({ samples }) => samples.length > 0);
  const before = withSamples.find(({ when }) => when === "before") ?? null;
  return { before, later: withSamples.filter((evaluation) => evaluation.when !== "before") };
}

/** Pairs samples by their prompts, in the order of `before`; a prompt asked twice pairs in turn. */
export function pairSamples(before: EvaluationRow, after: EvaluationRow | null): EvaluationPair[] {
  const waiting = new Map<string, SampleCompletion[]>();
  for (const sample of after?.samples ?? []) {
    const same = waiting.get(sample.prompt);
    if (same) same.push(sample);
    else waiting.set(sample.prompt, [sample]);
  }
  return before.samples.map((sample) => ({
    prompt: sample.prompt,
    before: sample,
    after: waiting.get(sample.prompt)?.shift() ?? null,
  }));
}

/** One time a run met a problem. */
export interface Encounter {
  group: Group;
  /** The completion in the same place of its group: it began with the same share of the random numbers. */
  row: RolloutRow;
  mean: number | null;
  right: number;
  judged: number;
}

function encounterOf(group: Group, place: number): Encounter {
  const judged = group.rows.filter(({ correct }) => correct !== null);
  return {
    group,
    row: group.rows[Math.min(place, group.rows.length - 1)],
    mean: meanReward(group.rows),
    right: judged.filter(({ correct }) => correct === 1).length,
    judged: judged.length,
  };
}

/** Every time the run met a completion's problem, in order of the steps, and which of them is its own. */
export function encountersOf(
  index: RolloutIndex,
  row: RolloutRow,
): { encounters: Encounter[]; current: number } {
  const own = index.groupOf(row.id);
  const place = Math.max(0, own?.rows.indexOf(row) ?? 0);
  const groups = index.groupsOfProblem(row.problem).toSorted((a, b) => a.step - b.step);
  return {
    encounters: groups.map((group) => encounterOf(group, place)),
    current: own ? groups.indexOf(own) : -1,
  };
}

/** The encounter to set beside the current one: the first of the run, or the latest if that is the current one. */
export function otherEncounter(count: number, current: number): number | null {
  if (count < 2) return null;
  return current === 0 ? count - 1 : 0;
}
