/** How far a download is, in words. */

const UNITS = [
  { from: 1e9, word: "GB", digits: 2 },
  { from: 1e6, word: "MB", digits: 1 },
  { from: 0, word: "kB", digits: 0 },
] as const;

/** "12.5 of 88.0 MB": both in the unit of the whole and to the same digit, so that nothing moves while it grows. */
export function bytesOf(done: number, total: number): string {
  const { from, word, digits } = UNITS.find((unit) => total >= unit.from) ?? UNITS[UNITS.length - 1];
  const text = (bytes: number) => (bytes / (from || 1000)).toFixed(digits);
  return `${text(done)} of ${text(total)} ${word}`;
}
