/**
 * A fast 64-bit fingerprint of bytes, in two 32-bit lanes: finds torn, stale or damaged copies; it is no defence against
 * an adversary. Serves the weight board and the checkpoints.
 */

export interface FingerprintLanes {
  low: number;
  high: number;
}

const multiplierA = 0x9e3779b1 | 0;
const multiplierB = 0x85ebca77 | 0;
const multiplierC = 0xc2b2ae3d | 0;

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function avalanche(word: number): number {
  let mixed = word ^ (word >>> 15);
  mixed = Math.imul(mixed, multiplierB);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, multiplierC);
  return mixed ^ (mixed >>> 16);
}

/** Fingerprints bytes, shared memory included; the same bytes give the same lanes at any alignment. */
export function fingerprintLanes(bytes: Uint8Array): FingerprintLanes {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const count = aligned.byteLength >>> 2;
  const words = new Int32Array(aligned.buffer, aligned.byteOffset, count);
  // Each lane takes in every word, even and odd ones apart: four chains that do not wait for each other.
  let lowEven = multiplierA;
  let lowOdd = multiplierB;
  let highEven = multiplierC;
  let highOdd = ~multiplierA;
  const end = count & ~1;
  for (let index = 0; index < end; index += 2) {
    const even = words[index];
    const odd = words[index + 1];
    lowEven = Math.imul(rotate(lowEven ^ even, 13), multiplierA);
    highEven = Math.imul(rotate(highEven + even, 19), multiplierB);
    lowOdd = Math.imul(rotate(lowOdd ^ odd, 13), multiplierA);
    highOdd = Math.imul(rotate(highOdd + odd, 19), multiplierB);
  }
  // The odd word out and the last bytes, as one or two more words.
  const absorb = (word: number) => {
    lowOdd = Math.imul(rotate(lowOdd ^ word, 17), multiplierC);
    highOdd = Math.imul(rotate(highOdd + word, 11), multiplierC);
  };
  if (end < count) absorb(words[end]);
  for (let rest = count * 4; rest < aligned.byteLength; rest += 1) absorb(aligned[rest]);
  return {
    low: avalanche(avalanche(lowEven ^ aligned.byteLength) ^ lowOdd),
    high: avalanche((avalanche(highEven + aligned.byteLength) + highOdd) | 0),
  };
}

/** Writes the lanes as sixteen hexadecimal digits. */
export function fingerprintText(lanes: FingerprintLanes): string {
  const digits = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
  return digits(lanes.high) + digits(lanes.low);
}

/** Fingerprints bytes as sixteen hexadecimal digits. */
export function fingerprint(bytes: Uint8Array): string {
  return fingerprintText(fingerprintLanes(bytes));
}
