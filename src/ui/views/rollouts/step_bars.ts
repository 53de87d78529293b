/** The little chart over the step slider: mean reward by step, in a box of 100 × 100. */
import type { RolloutIndex } from "./group_index.ts";

/** More bars than this cannot be told apart; steps are then averaged together. */
const MOST_BARS = 160;
const LOWEST = 4;

export interface StepBars {
  /** All bars as one path. */
  path: string;
  /** One bar at a share of the width. */
  barAt(along: number, mean: number | null): string;
}

interface Bar {
  along: number;
  mean: number;
}

function barsOf(index: RolloutIndex): Bar[] {
  const { steps } = index;
  const together = Math.ceil(steps.length / MOST_BARS);
  const bars: Bar[] = [];
  for (let from = 0; from < steps.length; from += together) {
    let sum = 0;
    let rewarded = 0;
    const to = Math.min(steps.length, from + together);
    for (let i = from; i < to; i++) {
      const entry = index.stepEntry(steps[i]);
      sum += entry?.rewardSum ?? 0;
      rewarded += entry?.rewarded ?? 0;
    }
    const middle = (from + to - 1) / 2;
    const along = steps.length > 1 ? middle / (steps.length - 1) : 0.5;
    if (rewarded > 0) bars.push({ along, mean: sum / rewarded });
  }
  return bars;
}

const round = (value: number) => Math.round(value * 100) / 100;

/** Bars stand on 0, or hang from it where rewards are negative; the largest fills the box, the least is still seen. */
export function stepBars(index: RolloutIndex): StepBars {
  const bars = barsOf(index);
  const top = bars.reduce((most, { mean }) => Math.max(most, mean), 0);
  const bottom = bars.reduce((least, { mean }) => Math.min(least, mean), 0);
  const span = top - bottom || 1;
  const width = 62 / Math.max(12, bars.length);
  const y = (value: number) => 100 - ((value - bottom) / span) * 100;
  const barAt = (along: number, mean: number | null) => {
    if (mean === null) return "";
    const end = mean < 0 ? Math.max(y(mean), y(0) + LOWEST) : Math.min(y(mean), y(0) - LOWEST);
    return `M${round(along * 100 - width / 2)} ${round(y(0))}V${round(end)}h${round(width)}V${round(y(0))}z`;
  };
  return { path: bars.map(({ along, mean }) => barAt(along, mean)).join(""), barAt };
}
