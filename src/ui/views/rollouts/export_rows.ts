/** Rows as NDJSON to be downloaded, written in slices so that the page stays smooth. */
import type { RolloutRow } from "../../state/records.ts";

const SLICE_MS = 8;

/** One JSON object a line, in parts. `pause` is awaited whenever a slice of time is spent. */
export async function ndjsonParts(
  rows: readonly RolloutRow[],
  pause: () => Promise<void>,
  now: () => number = () => performance.now(),
): Promise<string[]> {
  const parts: string[] = [];
  let lines = "";
  let deadline = now() + SLICE_MS;
  for (const row of rows) {
    lines += `${JSON.stringify(row)}\n`;
    if (now() < deadline) continue;
    parts.push(lines);
    lines = "";
    await pause();
    deadline = now() + SLICE_MS;
  }
  if (lines !== "") parts.push(lines);
  return parts;
}

/** A file name without anything that a file system might mind. */
export function exportName(run: string, rows: number): string {
  const name = run.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "run";
  return `${name}-rollouts-${rows}.ndjson`;
}
