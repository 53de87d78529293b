/** Ranges of the axes: fixed where the quantity has bounds, otherwise moving in few wide steps, so that nothing wobbles. */
import type { Column } from "../../parts/chart_columns.ts";
import type { XAxis } from "./run_table.ts";

const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The next round number that is not below the value; 1 for what is not positive. */
export function roundUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = STEPS.find((step) => step * power >= value * (1 - 1e-12)) ?? 10;
  return Number((digit * power).toPrecision(2));
}

/** The least and the greatest value, and the given one. */
function extent(columns: readonly Column[], given: number): [number, number] {
  let [least, most] = [given, given];
  for (const column of columns)
    for (const value of column) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
  return [least, most];
}

/** From 0 to a round number above the largest value, at least to `atLeast`. */
export function fromZero(columns: readonly Column[], atLeast: number): [number, number] {
  return [0, roundUp(extent(columns, atLeast)[1])];
}

/** A spike further out than this many times the middle value leaves the chart rather than flattening the rest. */
const SPIKE = 8;

/** The middle value of at most some thousand of them, evenly taken; 0 where there is none. */
function usual(columns: readonly Column[]): number {
  const values = columns
    .flatMap((column) => {
      const stride = Math.max(1, Math.floor(column.length / 1000));
      return Array.from({ length: Math.ceil(column.length / stride) }, (_, index) => column[index * stride]);
    })
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

/** From 0 to a round number above what is usual. */
export function fromZeroWithoutSpikes(columns: readonly Column[], atLeast: number): [number, number] {
  const middle = usual(columns);
  const [, largest] = extent(columns, 0);
  return [0, roundUp(Math.max(atLeast, middle > 0 ? Math.min(largest, SPIKE * middle) : largest))];
}

/** Up to a limit and a little beyond where it is near enough to be worth seeing; otherwise the range as it is. */
export function upToLimit([low, high]: [number, number], limit: number | null): [number, number] {
  const isNear = limit !== null && limit > 0 && limit <= 2.5 * high;
  return [low, isNear ? Math.max(high, 1.15 * limit) : high];
}

/** A score that is mostly between 0 and 1; further where its means are. Bands may leave the chart. */
export function unitAndBeyond(columns: readonly Column[]): [number, number] {
  const [lowest, highest] = extent(columns, 0);
  return [lowest < 0 ? -roundUp(-lowest) : 0, highest > 1 ? roundUp(highest) : 1];
}

/** Whole decades from `floor` to above the largest value, at least three. */
export function decades(columns: readonly Column[], floor: number): [number, number] {
  const [, largest] = extent(columns, floor * 1000);
  return [floor, 10 ** Math.ceil(Math.log10(largest) - 1e-9)];
}

/** Runs of so many steps have their whole length on the axis from the start. */
const SHORT_RUN = 60;

/**
 * From 0 to where the run will end, as far as that is known; a long run's axis grows in round steps, so that its first steps
 * are not a speck at the left.
 */
export function xRange(
  axis: XAxis,
  reached: number,
  run: { ended: boolean; plannedSteps: number | null },
): [number, number] {
  if (run.ended && reached > 0) return [0, reached];
  if (axis !== "step") return [0, roundUp(Math.max(reached * 1.1, axis === "time" ? 30 : 1000))];
  const shortest = Math.min(run.plannedSteps ?? 10, SHORT_RUN);
  const ahead = Math.max(shortest, roundUp(reached * 1.1));
  return [0, run.plannedSteps === null ? ahead : Math.max(reached, Math.min(ahead, run.plannedSteps))];
}
