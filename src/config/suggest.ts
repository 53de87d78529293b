/** "Did you mean": the nearest known word to a misspelt one, for settings, flags, commands and task names. */

/** Counts the insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    before = above;
    above = row;
  }
  return above[b.length];
}

const lastPart = (path: string) => path.slice(path.lastIndexOf(".") + 1);
const plain = (word: string) => word.toLowerCase().replace(/[-_]/g, "");

/**
 * Finds the known word nearest to `word`, or undefined when none is near. Case and dashes do not count, and the last
 * part of a dotted path is tried as well, so that `lerningRate` finds `trainer.learningRate`.
 */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestScore = Number.POSITIVE_INFINITY;
  const wanted = plain(word);
  const wantedTail = plain(lastPart(word));
  for (const candidate of known) {
    const whole = editDistance(wanted, plain(candidate));
    const tail = editDistance(wantedTail, plain(lastPart(candidate)));
    const wholeLimit = Math.max(1, Math.floor(wanted.length / 3));
    const tailLimit = Math.max(1, Math.floor(wantedTail.length / 4));
    if (whole > wholeLimit && tail > tailLimit) continue;
    const score = tail + whole / 1000;
    if (score < bestScore) {
      bestScore = score;
      best = candidate;
    }
  }
  return best;
}

/** Words a hint: `did you mean X?`, else the list of what is known. */
export function suggestionHint(word: string, known: readonly string[], kind: string): string {
  const near = suggest(word, known);
  return near === undefined ? `known ${kind}: ${known.join(", ")}` : `did you mean \`${near}\`?`;
}
