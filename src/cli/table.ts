/** Plain text tables: columns as wide as their widest cell, numbers to the right. */

const width = (text: string) => [...text].length;
const numeric = /^[+\-−]?[\d.,]+(e[+-]?\d+)?\s?(%|[a-zA-Z/]+)?$/;

export interface TableOptions {
  /** Spaces before each line. */
  indent?: number;
  /** Widest line in characters; the last column is wrapped to fit. */
  maxWidth?: number;
}

function wrap(text: string, limit: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && width(line) + 1 + width(word) > limit) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Lays out rows of cells under an optional header; lines have no trailing spaces. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { indent = 0, maxWidth = Number.POSITIVE_INFINITY } = options;
  const all = header.length > 0 ? [header, ...rows] : rows;
  const columns = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) =>
    Math.max(...all.map((row) => width(row[c] ?? ""))),
  );
  const rightward = widths.map(
    (_, c) =>
      rows.some((row) => row[c]) && rows.every((row) => !row[c] || row[c] === "-" || numeric.test(row[c])),
  );
  const before = indent + widths.slice(0, -1).reduce((sum, one) => sum + one + 2, 0);
  const lastLimit = Math.max(20, maxWidth - before);
  const pad = (text: string, c: number) => {
    const gap = " ".repeat(widths[c] - width(text));
    return rightward[c] ? gap + text : text + gap;
  };
  const lines = all.flatMap((row) => {
    const last = row.length === columns ? (row[columns - 1] ?? "") : "";
    const wrapped =
      width(last) > lastLimit
        ? wrap(last, lastLimit)
        : [rightward[columns - 1] ? pad(last, columns - 1) : last];
    const head = Array.from({ length: columns - 1 }, (_, c) => pad(row[c] ?? "", c))
      .concat(wrapped[0])
      .join("  ");
    return [" ".repeat(indent) + head, ...wrapped.slice(1).map((line) => " ".repeat(before) + line)];
  });
  if (header.length > 0) {
    lines.splice(
      1,
      0,
      " ".repeat(indent) +
        widths.map((one, c) => "-".repeat(c === columns - 1 ? Math.min(one, lastLimit) : one)).join("  "),
    );
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}
