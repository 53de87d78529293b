/** Reads what `decode_advance` wrote of a chunk of decode steps. */

/** No token was drawn. */
const NONE = 0xffffffff;

/** Why a row ended, if it did; `decode_advance.wgsl` has the same numbers. */
export const RUNNING = 0;
export const STOP = 1;
export const BROKEN = 3;

/** What a chunk drew for one row, up to where it ended. */
export interface DrawnTokens {
  tokens: number[];
  /** Natural logs of the probabilities the tokens were drawn with, and nats of the distributions. */
  logprobs: number[];
  entropies: number[];
  reason: number;
}

/** Row `row` of the ring (steps + 1, rows, 4), from step `first` on. */
export function readRow(
  ring: Uint32Array,
  { row, rows, first, steps }: { row: number; rows: number; first: number; steps: number },
): DrawnTokens {
  const floats = new Float32Array(ring.buffer, ring.byteOffset, ring.length);
  const drawn: DrawnTokens = { tokens: [], logprobs: [], entropies: [], reason: RUNNING };
  for (let step = first; step <= steps && drawn.reason === RUNNING; step++) {
    const at = 4 * (step * rows + row);
    drawn.reason = ring[at + 3];
    if (ring[at] === NONE) continue;
    drawn.tokens.push(ring[at]);
    drawn.logprobs.push(floats[at + 1]);
    drawn.entropies.push(floats[at + 2]);
  }
  return drawn;
}
