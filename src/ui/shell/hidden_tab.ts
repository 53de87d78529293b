/** Whether a hidden tab was slowed by the browser, told from what was done meanwhile. */
import { count, decimal, duration } from "../parts/format.ts";
import type { StepRow } from "../state/records.ts";

/** Shorter absences prove nothing. */
const LEAST_SECONDS = 10;
/** How much longer steps must take before it is called slower. */
const SLOWER = 1.4;
const COMPARED_STEPS = 5;

const meanTime = (rows: readonly StepRow[]) => {
  const times = rows.flatMap(({ step_time }) => (typeof step_time === "number" ? [step_time] : []));
  return times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0) / times.length;
};

/**
 * @param steps the run's steps now; `before` of them were done when the tab was hidden, for `seconds`
 * @param stepsAlone false where something else took its time meanwhile: an evaluation, a pause, the run's end
 * @returns what to say, or null where nothing was slowed
 */
export function hiddenNotice(
  steps: readonly StepRow[],
  before: number,
  seconds: number,
  stepsAlone = true,
): string | null {
  if (seconds < LEAST_SECONDS) return null;
  const usual = meanTime(steps.slice(Math.max(0, before - COMPARED_STEPS), before));
  const done = steps.length - before;
  const then = meanTime(steps.slice(before));
  if (usual === null) return null;
  const away = `This tab was hidden for ${duration(seconds)}`;
  if (then === null)
    return stepsAlone && seconds > 2 * usual
      ? `${away}, and no step was finished: the browser slows tabs that are not seen. Keep it in view, in a window of its own.`
      : null;
  if (then < usual * SLOWER) return null;
  const pace = `${decimal(then, 1)}\u00a0s a step instead of ${decimal(usual, 1)}\u00a0s`;
  return `${away} and the browser slowed it: ${count(done)} ${done === 1 ? "step" : "steps"}, ${pace}. Keep it in view, in a window of its own.`;
}
