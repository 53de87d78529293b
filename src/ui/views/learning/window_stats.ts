/** Numbers over stretches of a column, missing values left out; NaN where nothing was measured. */
import type { Column } from "../../parts/chart_columns.ts";

const measured = (value: number) => !Number.isNaN(value);

function sumAndCount(values: Column): { sum: number; count: number } {
  let sum = 0;
  let count = 0;
  for (const value of values)
    if (measured(value)) {
      sum += value;
      count++;
    }
  return { sum, count };
}

export function mean(values: Column): number {
  const { sum, count } = sumAndCount(values);
  return sum / count;
}

/** 0 where nothing was measured. */
export const total = (values: Column) => sumAndCount(values).sum;

/** The upper one of the two in the middle where there are two. */
export function median(values: Column): number {
  const found = values.filter(measured).sort();
  return found[found.length >> 1] ?? Number.NaN;
}

/** The share of the measured values above a limit. */
export function shareAbove(values: Column, limit: number): number {
  const found = values.filter(measured);
  return found.filter((value) => value > limit).length / found.length;
}

/** The greatest value and its index; null where there is none. */
export function peak(values: Column): { value: number; index: number } | null {
  let found: { value: number; index: number } | null = null;
  for (const [index, value] of values.entries())
    if (measured(value) && (found === null || value > found.value)) found = { value, index };
  return found;
}

/** The greatest mean over `length` neighbouring values, the last `skipped` left out. */
export function bestMean(values: Column, length: number, skipped: number): number {
  let best = Number.NaN;
  let sum = 0;
  let count = 0;
  for (let index = 0; index < values.length - skipped; index++) {
    const entering = values[index];
    const leaving = index >= length ? values[index - length] : Number.NaN;
    if (measured(entering)) {
      sum += entering;
      count++;
    }
    if (measured(leaving)) {
      sum -= leaving;
      count--;
    }
    if (index >= length - 1 && count > 0 && !(sum / count <= best)) best = sum / count;
  }
  return best;
}
