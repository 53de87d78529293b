/** Numbers over stretches of a column; null where nothing was measured. */
import type { Column } from "../../parts/chart_columns.ts";

function present(values: Column): number[] {
  return values.filter((value) => value !== null);
}

export function mean(values: Column): number | null {
  const found = present(values);
  return found.length === 0 ? null : found.reduce((sum, value) => sum + value, 0) / found.length;
}

export function total(values: Column): number {
  return present(values).reduce((sum, value) => sum + value, 0);
}

/** The upper one of the two in the middle where there are two. */
export function median(values: Column): number | null {
  const found = present(values).sort((a, b) => a - b);
  return found[found.length >> 1] ?? null;
}

/** The share of the measured values above a limit. */
export function shareAbove(values: Column, limit: number): number | null {
  const found = present(values);
  return found.length === 0 ? null : found.filter((value) => value > limit).length / found.length;
}

/** The greatest value and its index. */
export function peak(values: Column): { value: number; index: number } | null {
  let found: { value: number; index: number } | null = null;
  for (const [index, value] of values.entries())
    if (value !== null && (found === null || value > found.value)) found = { value, index };
  return found;
}

/** The greatest mean over `length` neighbouring values, the last `skipped` left out. */
export function bestMean(values: Column, length: number, skipped: number): number | null {
  const end = values.length - skipped;
  let best: number | null = null;
  let sum = 0;
  let count = 0;
  for (let index = 0; index < end; index++) {
    const entering = values[index];
    const leaving = index >= length ? values[index - length] : null;
    if (entering !== null) {
      sum += entering;
      count++;
    }
    if (leaving !== null) {
      sum -= leaving;
      count--;
    }
    if (index >= length - 1 && count > 0) best = Math.max(best ?? Number.NEGATIVE_INFINITY, sum / count);
  }
  return best;
}
