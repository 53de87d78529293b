/** The sentence that says what the loop is waiting for. */
import { percent as wholePercent } from "../../parts/format.ts";
import type { StageName } from "../../state/records.ts";
import { awaited, isWait } from "./activities.ts";
import type { TrackShare } from "./shares.ts";

export interface Bottleneck {
  /** null where no stage holds the others up. */
  stage: StageName | null;
  sentence: string;
}

interface StageTime {
  tracks: number;
  /** Shares of the span, 0 to 1, mean over the stage's tracks. */
  busy: number;
  /** Waiting or idle. */
  free: number;
  /** By far the most awaited, "" where nothing says. */
  awaits: string;
  waited: number;
  /** Waiting while an evaluation ran, which nobody could have shortened by training. */
  evaluating: number;
}

/** Less than this share of waiting is not worth a word. */
const LITTLE = 0.05;
const EVALUATION = "evaluation";
/** A stage this busy has no more to give. */
const FULL = 0.85;

/**
 * @param length milliseconds of the span that the shares are of
 * @param span in words, as in "of the last minute"
 */
export function bottleneckOf(shares: readonly TrackShare[], length: number, span: string): Bottleneck {
  const trainer = stageTime(shares, "trainer", length);
  const generator = stageTime(shares, "generator", length);
  const verifier = stageTime(shares, "verifier", length);
  if (!trainer && !generator) return { stage: null, sentence: `Nothing was traced in ${span}.` };
  if (!trainer) return { stage: null, sentence: resting(generator!, span, "the trainer has not begun") };
  if (trainer.evaluating > Math.max(trainer.waited, generator?.free ?? 0, LITTLE))
    return {
      stage: null,
      sentence: `Evaluation took ${percent(trainer.evaluating)} of ${span}; the trainer waited.`,
    };
  const waited = `Trainer waited ${percent(trainer.waited)} of ${span} for ${trainer.awaits || "rollouts"}`;
  if (!generator) {
    if (trainer.waited < LITTLE)
      return { stage: "trainer", sentence: `Trainer was busy ${percent(trainer.busy)} of ${span}.` };
    return { stage: "generator", sentence: `${waited}: the generator is the bottleneck.` };
  }
  if (trainer.waited < LITTLE && generator.free < LITTLE)
    return {
      stage: null,
      sentence: `Trainer and ${noun(generator)} worked through nearly all of ${span}: nothing holds the loop up.`,
    };
  if (trainer.waited >= generator.free) {
    const stage = isFull(verifier, generator) ? "verifier" : "generator";
    return { stage, sentence: `${waited}: the ${stage} is the bottleneck${turns(trainer, generator)}.` };
  }
  // Generators rest while something after them is full: the trainer, or the verifiers before it.
  const stage = isFull(verifier, trainer) ? "verifier" : "trainer";
  return {
    stage,
    sentence: resting(generator, span, `the ${stage} is the bottleneck${turns(trainer, generator)}`),
  };
}

function isFull(verifier: StageTime | null, other: StageTime): boolean {
  return verifier !== null && verifier.busy > FULL && verifier.busy > other.busy;
}

const noun = ({ tracks }: StageTime) => (tracks === 1 ? "generator" : "generators");

function resting(generator: StageTime, span: string, follows: string): string {
  const share = percent(generator.free);
  const who = generator.tracks === 1 ? "Generator" : "Generators";
  if (generator.awaits) return `${who} waited ${share} of ${span} for ${generator.awaits}: ${follows}.`;
  return `${who} rested ${share} of ${span}: ${follows}.`;
}

/** One rests whenever the other works: a loop in lockstep, which more of either alone mends by half at most. */
function turns(trainer: StageTime, generator: StageTime): string {
  const sum = trainer.waited + generator.free;
  const both = Math.min(trainer.waited, generator.free) >= 0.2 && sum > 0.8 && sum < 1.2;
  return both ? ", and the two take turns" : "";
}

function stageTime(shares: readonly TrackShare[], stage: StageName, length: number): StageTime | null {
  // Workers alone: a GPU without work says nothing of what its worker waited for.
  const own = shares.filter(
    ({ track, activities }) => track.stage === stage && !track.gpu && activities.length > 0,
  );
  if (own.length === 0 || length <= 0) return null;
  const mean = (of: (share: TrackShare) => number) =>
    own.reduce((sum, share) => sum + of(share), 0) / own.length / length;
  const waits = new Map<string, number>();
  for (const { track, activities } of own)
    for (const { name, time } of activities) {
      const what = awaited(track.name, name);
      if (isWait(name)) waits.set(what, (waits.get(what) ?? 0) + time);
    }
  const evaluating = (waits.get(EVALUATION) ?? 0) / own.length / length;
  waits.delete(EVALUATION);
  const awaits = [...waits].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
  return {
    tracks: own.length,
    busy: mean(({ busy }) => busy),
    free: mean(({ waiting, idle }) => waiting + idle) - evaluating,
    awaits,
    waited: Math.max(0, mean(({ waiting }) => waiting) - evaluating),
    evaluating,
  };
}

export function percent(share: number): string {
  return share > 0 && share < 0.005 ? "< 1\u00a0%" : wholePercent(share);
}
