/** JSONL as rows: one JSON object a line. Takes text or bytes, so it runs in the browser. */
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

/**
 * Splits the bytes of a JSONL file into rows. Lines that are not UTF-8 are listed as bad: decoded all the same, they would
 * ask for something else than was written.
 */
export function parseJsonlBytes(bytes: Uint8Array): RowsRead {
  const strict = new TextDecoder("utf-8", { fatal: true });
  const textOf = (part: Uint8Array): string | null => {
    try {
      return strict.decode(part);
    } catch {
      return null;
    }
  };
  const text = textOf(bytes);
  if (text !== null) return parseJsonl(text);
  const read = parseJsonl(new TextDecoder().decode(bytes));
  const spoilt = new Set<number>();
  for (let start = 0, line = 1; start < bytes.length; line++) {
    const cut = bytes.indexOf(0x0a, start);
    const end = cut < 0 ? bytes.length : cut;
    if (textOf(bytes.subarray(start, end)) === null) spoilt.add(line);
    start = end + 1;
  }
  const reason = "it is not UTF-8";
  const hint = "Save the file as UTF-8, as editors and `iconv` can.";
  const bad = [...spoilt].map((at) => ({ at, reason, hint }));
  return {
    unit: read.unit,
    rows: read.rows.filter(({ at }) => !spoilt.has(at)),
    bad: [...bad, ...read.bad.filter(({ at }) => !spoilt.has(at))],
  };
}
