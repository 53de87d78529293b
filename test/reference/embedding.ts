/** Float64 twins of shaders/embedding. */

type Numbers = ArrayLike<number>;

/** y (N, C): row ids[n] of the table; zeros where there is none. Serves gathering rows as well. */
export function gatherReference(table: Numbers, ids: Numbers, width: number): Float64Array {
  return Float64Array.from({ length: ids.length * width }, (_, i) => {
    const at = ids[Math.floor(i / width)] * width + (i % width);
    return at < table.length ? table[at] : 0;
  });
}

/** Adds row n of dy to row ids[n] of a copy of `into`; rows that do not exist are left out. */
export function scatterReference(into: Numbers, ids: Numbers, dy: Numbers, width: number): Float64Array {
  const sum = Float64Array.from(into);
  for (let i = 0; i < dy.length; i++) {
    const at = ids[Math.floor(i / width)] * width + (i % width);
    if (at < sum.length) sum[at] += dy[i];
  }
  return sum;
}

export interface RopeShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/**
 * Rotates the first H + K heads of qkv (N, H+2K, D) by position · frequency, halves paired; `direction` −1 undoes it.
 * `frequencies` holds D/2 numbers.
 */
export function ropeReference(
  { heads, kvHeads, headDim }: RopeShape,
  qkv: Numbers,
  positions: Numbers,
  frequencies: Numbers,
  direction = 1,
): Float64Array {
  const y = Float64Array.from(qkv);
  const all = heads + 2 * kvHeads;
  const half = headDim / 2;
  for (let n = 0; n < positions.length; n++) {
    for (let h = 0; h < heads + kvHeads; h++) {
      for (let j = 0; j < half; j++) {
        const at = (n * all + h) * headDim + j;
        const angle = direction * positions[n] * frequencies[j];
        y[at] = qkv[at] * Math.cos(angle) - qkv[at + half] * Math.sin(angle);
        y[at + half] = qkv[at + half] * Math.cos(angle) + qkv[at] * Math.sin(angle);
      }
    }
  }
  return y;
}
