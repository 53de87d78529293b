/** How far a download is, in words. */

const UNITS = [
  { size: 2 ** 30, word: "GiB", digits: 2 },
  { size: 2 ** 20, word: "MiB", digits: 1 },
  { size: 2 ** 10, word: "KiB", digits: 0 },
] as const;

/** "12.5 of 88.0 MiB": both in the unit of the whole and to the same digit, so that nothing moves while it grows. */
export function bytesOf(done: number, total: number): string {
  const { size, word, digits } = UNITS.find((unit) => total >= unit.size) ?? UNITS[UNITS.length - 1];
  const text = (bytes: number) => (bytes / size).toFixed(digits);
  return `${text(done)} of ${text(total)} ${word}`;
}
