/** JSONL text as rows: one JSON object a line. Takes text, so it runs in the browser. */
import type { BadRow, NumberedRow, RowsRead } from "./rows.ts";

/** Splits JSONL text into rows; blank lines are skipped but counted, and lines that hold no object are listed as bad. */
export function parseJsonl(text: string): RowsRead {
  const rows: NumberedRow[] = [];
  const bad: BadRow[] = [];
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  lines.forEach((content, i) => {
    if (content.trim() === "") return;
    const at = i + 1;
    let row: unknown;
    try {
      row = JSON.parse(content);
    } catch (cause) {
      const reason = `it is not JSON (${cause instanceof Error ? cause.message : String(cause)})`;
      bad.push({ at, reason, hint: "Write one whole JSON object per line." });
      return;
    }
    if (typeof row === "object" && row !== null && !Array.isArray(row)) {
      rows.push({ at, row: row as Record<string, unknown> });
      return;
    }
    const found = Array.isArray(row) ? "a list" : row === null ? "null" : `a ${typeof row}`;
    bad.push({ at, reason: `it holds ${found}, not an object`, hint: "Write one JSON object per line." });
  });
  return { unit: "line", rows, bad };
}
