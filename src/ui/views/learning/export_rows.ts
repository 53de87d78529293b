/** A run's metrics as files: a table for spreadsheets, and rows as the command line writes them. */
import { metricTable } from "../../../metrics/names.ts";
import { formatRow } from "../../../metrics/ndjson.ts";
import type { EvaluationRow, StepRow, TurnedRow } from "../../state/records.ts";

export interface ExportedRun {
  steps: readonly StepRow[];
  evaluations: readonly EvaluationRow[];
  turned: readonly TurnedRow[];
}

const place = new Map(metricTable.map(({ name }, index) => [name, index]));

/** Names in the table's order; those of patterns and users' own metrics follow by name; evaluations come last. */
function columnNames(names: Iterable<string>): string[] {
  const rank = (name: string) => (name.startsWith("eval_") ? 1e6 : (place.get(name) ?? 1e5));
  return [...new Set(names)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Quoted where needed, as RFC 4180 asks. */
const cell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One line a step, evaluations beside the step after which they were made; empty where nothing was measured. */
export function toCsv({ steps, evaluations }: ExportedRun): string {
  const rows = new Map<number, StepRow>();
  for (const row of steps) rows.set(row.step ?? 0, { ...row });
  for (const { step, metrics } of evaluations) {
    const named = Object.entries(metrics).map(([name, value]) => [`eval_${name}`, value]);
    rows.set(step, { step, ...rows.get(step), ...Object.fromEntries(named) });
  }
  const ordered = [...rows.values()].sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  const names = columnNames(ordered.flatMap((row) => Object.keys(row)));
  const lines = ordered.map((row) => names.map((name) => row[name] ?? "").join(","));
  return `${[names.map(cell).join(","), ...lines].join("\n")}\n`;
}

/** The rows of a run directory's `metrics.ndjson`, in the order in which they came about. */
export function toNdjson({ steps, evaluations, turned }: ExportedRun): string {
  const named = ({ step, when, metrics, samples }: EvaluationRow) => ({
    step,
    event: "evaluation",
    when,
    ...Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval_${name}`, value])),
    samples,
  });
  const rows = [
    ...steps.map((row) => ({ at: row.step ?? 0, row: row as Record<string, unknown> })),
    ...evaluations.map((row) => ({ at: row.step, row: named(row) })),
    ...turned.map(({ step, knobs }) => ({ at: step, row: { step, event: "turned", ...knobs } })),
  ];
  // Stable: at one step its metrics come first, then the evaluation, then what was turned.
  return rows
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => formatRow(row))
    .join("");
}
