/** The learning rate by step: linear warm-up, then constant, linear or cosine decay to a floor. */

export type ScheduleShape = "constant" | "linear" | "cosine";
export const SCHEDULE_SHAPES: readonly ScheduleShape[] = ["constant", "linear", "cosine"];

export interface Schedule {
  shape: ScheduleShape;
  /** The rate after warm-up. */
  peak: number;
  /** Steps of warm-up; 0 starts at the peak. */
  warmupSteps: number;
  /** Steps of the whole run; decay ends here. */
  totalSteps: number;
  /** What the decay ends at, as a share of the peak, 0 to 1. */
  floor: number;
}

/**
 * The learning rate of step `step`, counted from 0. Warm-up step k uses (k + 1)/warmupSteps of the peak, so that the
 * first step already learns; decay reaches the floor at totalSteps and stays there.
 * @throws RangeError for settings that make no schedule.
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { shape, peak, warmupSteps, totalSteps, floor } = schedule;
  if (!(step >= 0)) throw new RangeError(`Cannot schedule step ${step}: steps count from 0`);
  if (!(Number.isFinite(peak) && peak >= 0 && warmupSteps >= 0 && floor >= 0 && floor <= 1)) {
    throw new RangeError(
      `Cannot schedule with peak ${peak}, warm-up ${warmupSteps}, floor ${floor}: a finite peak and warm-up from 0 and a floor within 0 and 1 are needed`,
    );
  }
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  if (shape === "constant") return peak;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  const remaining = shape === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return peak * (floor + (1 - floor) * remaining);
}
