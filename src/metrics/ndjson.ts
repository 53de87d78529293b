/** Rows as lines of JSON: one object a line, no line breaks within. The run directory and `--json` write them. */
import { DataError } from "../errors.ts";

export type LogRow = Record<string, unknown>;

/** One row with its line break; NaN and infinities become null, typed arrays become lists. */
export function formatRow(row: LogRow): string {
  const text = JSON.stringify(row, (_key, value: unknown) =>
    ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Uint8Array) : value,
  );
  return `${text}\n`;
}

function parseLine(line: string): LogRow | null {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === "object" && row !== null && !Array.isArray(row) ? (row as LogRow) : null;
  } catch {
    return null;
  }
}

/**
 * Reads rows; blank lines are passed over, and so is a last line without a break that a crash has cut.
 * @throws DataError `runs/bad-row` naming the line
 */
export function parseRows(text: string, where: string): LogRow[] {
  const lines = text.split("\n");
  const rows: LogRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const row = parseLine(line);
    if (row !== null) rows.push(row);
    else if (index < lines.length - 1) {
      throw new DataError(
        "runs/bad-row",
        `Cannot read line ${index + 1} of ${where}: a JSON object is needed`,
        {
          hint: "Remove or mend that line",
        },
      );
    }
  }
  return rows;
}
