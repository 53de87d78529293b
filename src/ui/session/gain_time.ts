/** How long until the reward is seen to rise, roughly: what a run has to do, at the pace that this device was measured at. */
import type { Recipe } from "../../config/schema.ts";
import { type Pace, phaseSeconds } from "../../planner/pace.ts";
import type { RunWork } from "../../planner/work.ts";

/** In the recorded default run the reward has risen by half after so many steps. */
const STEPS_TO_GAIN = 6;
/** Seconds until threads run and a small model is read; kernels are counted apart. */
const THREADS_SECONDS = 1.5;
/** Bytes a second of a download: ten megabits. */
const DOWNLOAD_RATE = 1.25e6;

export interface GainTime {
  /** Seconds until training begins: what is downloaded, made ready and, before training, answered. */
  start: number;
  /** Seconds from there to the first visible gain. */
  gain: number;
  /** Steps of an earlier run like this one in this browser stand behind `gain`. */
  asBefore?: true;
}

/** Steps that are waited for. */
export function stepsToGain({ steps }: Pick<Recipe, "steps">): number {
  return Math.min(steps, STEPS_TO_GAIN);
}

/**
 * Seconds until training begins, and from there to the first visible gain. Generators and trainer share one GPU, so their
 * times add up also where they run side by side.
 * @param stepSeconds of the first steps of an earlier run like this one
 */
export function gainSeconds(
  recipe: Pick<Recipe, "steps">,
  { batch, evaluation, start }: RunWork,
  pace: Pace,
  { downloadBytes, stepSeconds = [] }: { downloadBytes: number | null; stepSeconds?: readonly number[] },
): GainTime {
  const steps = stepsToGain(recipe);
  const ready = start.pipelines * pace.compile + start.returns * pace.roundTrip;
  const download = (downloadBytes ?? 0) / DOWNLOAD_RATE;
  const begun = THREADS_SECONDS + download + ready + phaseSeconds(evaluation, pace);
  const before = stepSeconds.slice(0, steps);
  if (before.length === 0) return { start: begun, gain: steps * phaseSeconds(batch, pace) };
  const total = before.reduce((sum, seconds) => sum + seconds, 0);
  return { start: begun, gain: (steps * total) / before.length, asBefore: true };
}
