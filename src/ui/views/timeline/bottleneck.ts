/** The sentence that says what the loop is waiting for. */
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
}

/** Less than this share of waiting is not worth a word. */
const LITTLE = 0.05;
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
  if (!trainer)
    return {
      stage: null,
      sentence: `Generators were busy ${percent(generator!.busy)} of ${span}; the trainer has not begun.`,
    };
  const waited = `Trainer waited ${percent(trainer.waited)} of ${span} for ${trainer.awaits || "rollouts"}`;
  if (!generator) {
    if (trainer.waited < LITTLE)
      return { stage: "trainer", sentence: `Trainer was busy ${percent(trainer.busy)} of ${span}.` };
    return { stage: "generator", sentence: `${waited}: the generator is the bottleneck.` };
  }
  const generators = generator.tracks === 1 ? "Generator" : "Generators";
  const were = generator.tracks === 1 ? "was" : "were";
  const rested = generator.awaits
    ? `${generators} waited ${percent(generator.free)} of ${span} for ${generator.awaits}`
    : `${generators} ${were} idle ${percent(generator.free)} of ${span}`;
  if (trainer.waited < LITTLE && generator.free < LITTLE)
    return {
      stage: null,
      sentence: `Trainer and generators were both busy nearly all of ${span}: nothing holds the loop up.`,
    };
  if (trainer.waited >= generator.free) {
    const stage =
      verifier && verifier.busy > FULL && verifier.busy > generator.busy ? "verifier" : "generator";
    return { stage, sentence: `${waited}: the ${stage} is the bottleneck${turns(trainer, generator)}.` };
  }
  // Generators rest while something downstream is full: the trainer, or the verifiers before it.
  if (verifier && verifier.busy > FULL && verifier.busy > trainer.busy)
    return { stage: "verifier", sentence: `${rested}: the verifier is the bottleneck.` };
  return {
    stage: "trainer",
    sentence: `${rested}: the trainer is the bottleneck${turns(trainer, generator)}.`,
  };
}

/** One rests whenever the other works: a loop in lockstep, which more of either alone mends by half at most. */
function turns(trainer: StageTime, generator: StageTime): string {
  const sum = trainer.waited + generator.free;
  const both = Math.min(trainer.waited, generator.free) >= 0.2 && sum > 0.8 && sum < 1.2;
  return both ? ", and the two take turns" : "";
}

function stageTime(shares: readonly TrackShare[], stage: StageName, length: number): StageTime | null {
  const own = shares.filter(({ track, activities }) => track.stage === stage && activities.length > 0);
  if (own.length === 0 || length <= 0) return null;
  const mean = (of: (share: TrackShare) => number) =>
    own.reduce((sum, share) => sum + of(share), 0) / own.length / length;
  const waits = new Map<string, number>();
  for (const { activities } of own)
    for (const { name, time } of activities)
      if (isWait(name)) waits.set(awaited(name), (waits.get(awaited(name)) ?? 0) + time);
  const awaits = [...waits].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
  return {
    tracks: own.length,
    busy: mean(({ busy }) => busy),
    free: mean(({ waiting, idle }) => waiting + idle),
    awaits,
    waited: mean(({ waiting }) => waiting),
  };
}

export function percent(share: number): string {
  const whole = Math.round(share * 100);
  if (whole === 0 && share > 0) return "< 1 %";
  return `${whole} %`;
}
