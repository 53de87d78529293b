/** Settings that were turned while the run went on, as marks on the charts and as a sentence. */
import type { ChartMark } from "../../parts/chart_draw.ts";
import type { TurnedRow } from "../../state/records.ts";
import type { RunTable, XAxis } from "./run_table.ts";

const NAMES: Record<keyof TurnedRow["knobs"], string> = {
  temperature: "temperature",
  epsilonHigh: "ε high",
  learningRate: "learning rate",
};

function label({ knobs }: TurnedRow): string {
  return Object.entries(knobs)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${NAMES[name as keyof typeof NAMES] ?? name} ${value}`)
    .join(", ");
}

export function marksOf(turned: readonly TurnedRow[], run: RunTable, axis: XAxis): ChartMark[] {
  return turned.map((row) => ({ x: run.xOfStep(axis, row.step), label: label(row) }));
}

/** `Turned after step 12: temperature 0.8; after step 20: learning rate 0.0001.` Empty where nothing was. */
export function turnedInWords(turned: readonly TurnedRow[]): string {
  if (turned.length === 0) return "";
  return `Turned ${turned.map((row) => `after step ${row.step}: ${label(row)}`).join("; ")}.`;
}
