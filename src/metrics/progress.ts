/** The one line a step that the command line prints; pure, so that a test can say how it looks. */

export interface StepSummary {
  step: number;
  steps: number;
  reward: number | null;
  rewardStd: number | null;
  /** Share of groups without a gradient, 0 to 1. */
  deadShare: number | null;
  /** Mean completion length in tokens. */
  length: number | null;
  mismatchKl: number | null;
  /** Mean staleness in versions. */
  staleness: number | null;
  generatedTokensPerSecond: number | null;
  trainedTokensPerSecond: number | null;
  stepSeconds: number;
  /** Until the last step; null while unknown. */
  remainingSeconds: number | null;
}

/** Three significant figures with k and M: 812, 1.4k, 23k, 1.2M. */
export function shortCount(value: number): string {
  if (value < 999.5) return value.toFixed(value < 10 && !Number.isInteger(value) ? 1 : 0);
  const [scaled, unit] = value < 999_500 ? [value / 1e3, "k"] : [value / 1e6, "M"];
  return `${scaled.toFixed(scaled < 9.95 ? 1 : 0)}${unit}`;
}

/** 45s, 8m, 1h05m. */
export function shortDuration(seconds: number): string {
  if (seconds < 59.5) return `${Math.round(seconds)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

function shown(value: number | null, format: (value: number) => string): string {
  return value === null || !Number.isFinite(value) ? "–" : format(value);
}

/** Formats a step in fixed columns, so that lines under each other can be compared at a glance. */
export function stepLine(summary: StepSummary): string {
  const total = String(summary.steps);
  const fixed = (digits: number) => (value: number) => value.toFixed(digits);
  const kl = (value: number) =>
    value !== 0 && Math.abs(value) < 5e-5 ? value.toExponential(0) : value.toFixed(4);
  return [
    `step ${String(summary.step).padStart(total.length)}/${total}`,
    `reward ${shown(summary.reward, fixed(2)).padStart(4)} ±${shown(summary.rewardStd, fixed(2)).padEnd(4)}`,
    `dead ${shown(summary.deadShare, (share) => `${Math.round(100 * share)}%`).padStart(3)}`,
    `len ${shown(summary.length, fixed(0)).padStart(3)}`,
    `kl ${shown(summary.mismatchKl, kl).padStart(6)}`,
    `stale ${shown(summary.staleness, (value) => String(Math.round(value * 10) / 10))}`,
    `gen ${shown(summary.generatedTokensPerSecond, shortCount).padStart(3)} tok/s`,
    `train ${shown(summary.trainedTokensPerSecond, shortCount).padStart(3)} tok/s`,
    `${summary.stepSeconds.toFixed(1)} s`,
    `eta ${shown(summary.remainingSeconds, shortDuration)}`,
  ].join("  ");
}
