/**
 * Random numbers without state to save: a stream is a pure function of its seed and key words, so "problem 4711 of
 * seed 3" is the same today, after a resume, and in another worker. Mixing is MurmurHash3's on 32-bit words.
 */

const WORD = 2 ** 32;

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Mixes words into one 32-bit word; every bit of the result depends on every bit of each word. */
export function hashWords(...words: number[]): number {
  let hash = 0x9e3779b9;
  for (const word of words) {
    const mixed = Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
    hash = (Math.imul(rotate(hash ^ mixed, 13), 5) + 0xe6546b64) | 0;
  }
  hash ^= words.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Splits a safe non-negative integer into two words, so that large seeds and indices differ. */
function wordsOf(value: number): [number, number] {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`seeds and indices are whole numbers from 0 to 2^53 − 1, not ${value}`);
  }
  return [value >>> 0, Math.floor(value / WORD)];
}

/** Draws from one stream; the n-th draw depends only on the stream's key and n. */
export interface Random {
  /** A whole number from 0 to 2^32 − 1. */
  word(): number;
  /** A number in [0, 1). */
  unit(): number;
  /** A whole number from `low` to `high`, both included, without bias. */
  int(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * Opens the stream of a seed and further key numbers.
 * @throws RangeError where a key is not a whole number from 0 to 2^53 − 1.
 */
export function randomStream(seed: number, ...keys: number[]): Random {
  const words = [seed, ...keys].flatMap(wordsOf);
  const [high, low] = [hashWords(0x243f6a88, ...words), hashWords(0x85a308d3, ...words)];
  let counter = 0;
  const word = () => hashWords(high, low, counter++);
  const below = (bound: number) => {
    const limit = WORD - (WORD % bound);
    for (;;) {
      const drawn = word();
      if (drawn < limit) return drawn % bound;
    }
  };
  const int = (from: number, to: number) => {
    const count = to - from + 1;
    if (!(count >= 1 && count <= WORD)) throw new RangeError(`no whole number from ${from} to ${to}`);
    return from + below(count);
  };
  const unit = () => word() / WORD;
  return {
    word,
    unit,
    int,
    chance: (probability) => unit() < probability,
    pick: (choices) => choices[int(0, choices.length - 1)],
    shuffle: (items) => {
      const shuffled = [...items];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = int(0, i);
        [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
      }
      return shuffled;
    },
  };
}
