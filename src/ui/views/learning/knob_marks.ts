/** Settings that were turned while the run went on, as marks on the charts and as a sentence. */
import type { ChartMark } from "../../parts/chart_draw.ts";
import type { TurnedRow } from "../../state/records.ts";
import type { RunTable, XAxis } from "./run_table.ts";

type Names = Record<keyof TurnedRow["knobs"], string>;

const NAMES: Names = { temperature: "temperature", epsilonHigh: "ε high", learningRate: "learning rate" };
/** Where there is little room. */
const SHORT_NAMES: Names = { temperature: "temp", epsilonHigh: "ε", learningRate: "lr" };

/** `temperature 0.8, learning rate 1e-4`. */
function settings({ knobs }: TurnedRow, names: Names): string {
  return (Object.keys(names) as (keyof Names)[])
    .filter((knob) => knobs[knob] !== undefined)
    .map((knob) => {
      const value = knobs[knob]!;
      return `${names[knob]} ${value > 0 && value < 1e-2 ? value.toExponential() : value}`;
    })
    .join(", ");
}

export function marksOf(turned: readonly TurnedRow[], run: RunTable, axis: XAxis): ChartMark[] {
  return turned.map((row) => ({ x: run.xOfStep(axis, row.step), label: settings(row, SHORT_NAMES) }));
}

/** `Turned after step 12: temperature 0.8; after step 20: learning rate 0.0001.` Empty where nothing was. */
export function turnedInWords(turned: readonly TurnedRow[]): string {
  if (turned.length === 0) return "";
  return `Turned ${turned.map((row) => `after step ${row.step}: ${settings(row, NAMES)}`).join("; ")}.`;
}
