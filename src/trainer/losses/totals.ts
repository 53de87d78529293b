/** Sums up what `sequence_stats` wrote, one row a sequence, and names it. */
import { mean } from "../advantages.ts";

/** Numbers in a row of the summary; the shader's header lists them. */
export const SUMMARY_WIDTH = 16;

/** Over all counted tokens of a step. */
export interface LossTotals {
  sequences: number;
  tokens: number;
  loss: number;
  /** Mean of the clipping ratio, by token. */
  ratioMean: number;
  ratioMin: number;
  ratioMax: number;
  clippedLow: number;
  clippedHigh: number;
  /** By sequence: share of its tokens that were clipped low / high. */
  lowShares: number[];
  highShares: number[];
  /** Mean of ρ − log ρ − 1 by token, ρ of the trained weights against the old log-probabilities. */
  mismatchKl: number;
  /** Mean and maximum of |log ρ| by token. */
  logprobGapMean: number;
  logprobGapMax: number;
  /** Mean k3 against the reference by token; 0 without one. */
  kl: number;
  entropy: number;
  importanceMean: number;
  importanceMin: number;
  importanceMax: number;
}

/** @param summary (≥ sequences, 16) rows in any order: the totals do not depend on it but for rounding. */
export function totalLoss(summary: Float32Array, sequences: number): LossTotals {
  const sums = new Float64Array(SUMMARY_WIDTH);
  const lowShares: number[] = [];
  const highShares: number[] = [];
  let [ratioMin, importanceMin] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [ratioMax, gapMax, importanceMax] = [0, 0, 0];
  for (let i = 0; i < sequences; i++) {
    const row = summary.subarray(i * SUMMARY_WIDTH, (i + 1) * SUMMARY_WIDTH);
    const tokens = row[1];
    if (tokens === 0) continue;
    for (let column = 0; column < SUMMARY_WIDTH; column++) sums[column] += row[column];
    lowShares.push(row[2] / tokens);
    highShares.push(row[3] / tokens);
    ratioMin = Math.min(ratioMin, row[5]);
    ratioMax = Math.max(ratioMax, row[6]);
    gapMax = Math.max(gapMax, row[10]);
    importanceMin = Math.min(importanceMin, row[13]);
    importanceMax = Math.max(importanceMax, row[14]);
  }
  const perToken = (column: number): number => (sums[1] === 0 ? 0 : sums[column] / sums[1]);
  return {
    sequences: lowShares.length,
    tokens: sums[1],
    loss: sums[0],
    ratioMean: perToken(4),
    ratioMin: sums[1] === 0 ? 0 : ratioMin,
    ratioMax,
    clippedLow: perToken(2),
    clippedHigh: perToken(3),
    lowShares,
    highShares,
    mismatchKl: perToken(7),
    logprobGapMean: perToken(9),
    logprobGapMax: gapMax,
    kl: perToken(8),
    entropy: perToken(11),
    importanceMean: perToken(12),
    importanceMin: sums[1] === 0 ? 0 : importanceMin,
    importanceMax,
  };
}

/** TRL's clip metrics, shares of tokens; extremes are over sequences. */
export function tokenClipMetrics(totals: LossTotals): Record<string, number> {
  return clipMetrics(totals, totals.clippedLow, totals.clippedHigh);
}

/** TRL's clip metrics where a sequence is clipped as a whole: shares of sequences. */
export function sequenceClipMetrics(totals: LossTotals): Record<string, number> {
  return clipMetrics(totals, mean(totals.lowShares), mean(totals.highShares));
}

function clipMetrics(totals: LossTotals, low: number, high: number): Record<string, number> {
  return {
    "clip_ratio/low_mean": low,
    "clip_ratio/high_mean": high,
    "clip_ratio/region_mean": low + high,
    "clip_ratio/low_min": totals.lowShares.reduce((least, share) => Math.min(least, share), 1),
    "clip_ratio/high_max": totals.highShares.reduce((most, share) => Math.max(most, share), 0),
  };
}
