/** What the loop strip says of each stage, and which view it opens. */
import type { ViewName } from "../state/app.ts";
import type { LoopPulse, StageName } from "../state/records.ts";

export interface StageWords {
  stage: StageName;
  /** The number that is looked at, and what it counts. */
  number: string;
  counts: string;
  /** What waits on the arrow to the next stage; null: nothing is kept there. */
  queue: { number: string; counts: string } | null;
  opens: ViewName;
}

const OPENS: Record<StageName, ViewName> = {
  tasks: "settings",
  generator: "rollouts",
  verifier: "rollouts",
  trainer: "learning",
  weights: "chat",
};

const grouped = (value: number) => value.toLocaleString("en");

/** @param steps done, and asked for; a version is none: a step of several mini-batches brings as many, a lost trainer one more */
export function stageWords(pulse: LoopPulse | null, steps: { done: number; of: number }): StageWords[] {
  const known = (value: number | undefined) => (value === undefined ? "–" : grouped(value));
  const batch = pulse ? `${grouped(pulse.collected)}/${grouped(pulse.batchSize)}` : "–";
  const words: Omit<StageWords, "opens">[] = [
    {
      stage: "tasks",
      number: known(pulse?.problemsStarted),
      counts: "problems",
      queue: { number: known(pulse?.queued), counts: "queued" },
    },
    {
      stage: "generator",
      number: known(pulse?.decoding),
      counts: "decoding",
      queue: { number: known(pulse?.verifying), counts: "to check" },
    },
    {
      stage: "verifier",
      number: known(pulse?.scored),
      counts: "checked",
      queue: { number: batch, counts: "in batch" },
    },
    {
      stage: "trainer",
      number: known(pulse ? steps.done : undefined),
      counts: steps.of > 0 ? `of ${grouped(steps.of)} steps` : "steps",
      queue: null,
    },
    { stage: "weights", number: pulse ? `v${pulse.trainerVersion}` : "–", counts: "newest", queue: null },
  ];
  return words.map((word) => ({ ...word, opens: OPENS[word.stage] }));
}

/** Share of the next batch that has been collected. */
export function batchShare(pulse: LoopPulse | null): number {
  return pulse && pulse.batchSize > 0 ? Math.min(1, pulse.collected / pulse.batchSize) : 0;
}

/** Steps that a run's recipe asks for; 0 where it does not say. */
export function stepsAskedFor(recipe: Record<string, unknown>): number {
  return typeof recipe.steps === "number" ? recipe.steps : 0;
}
