/** Float64 twins of shaders/attention. */

export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** (N, 2): first row and end row of the sequence of each row; negative lengths are padding rows. */
export function segmentsOf(lengths: readonly number[]): Uint32Array {
  const pairs: number[] = [];
  let start = 0;
  for (const length of lengths) {
    const end = start + Math.abs(length);
    for (let n = start; n < end; n++) pairs.push(...(length > 0 ? [start, end] : [0, 0]));
    start = end;
  }
  return Uint32Array.from(pairs);
}

function probabilities(
  qkv: ArrayLike<number>,
  segments: Uint32Array,
  { heads, kvHeads, headDim }: AttentionShape,
  n: number,
  h: number,
) {
  const width = (heads + 2 * kvHeads) * headDim;
  const keyHead = heads + Math.floor(h / (heads / kvHeads));
  const [start, end] = [segments[2 * n], segments[2 * n + 1]];
  const scores: number[] = [];
  for (let j = start; start < end && j <= n; j++) {
    let dot = 0;
    for (let d = 0; d < headDim; d++)
      dot += qkv[n * width + h * headDim + d] * qkv[j * width + keyHead * headDim + d];
    scores.push(dot / Math.sqrt(headDim));
  }
  const max = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + Math.exp(score - max), 0);
  const lse = scores.length > 0 ? max + Math.log(total) : 0;
  return { start, lse, p: scores.map((score) => Math.exp(score - lse)) };
}

/** out (N, H, D) and lse (N, H). */
export function attentionReference(qkv: ArrayLike<number>, segments: Uint32Array, shape: AttentionShape) {
  const { heads, kvHeads, headDim } = shape;
  const rows = segments.length / 2;
  const width = (heads + 2 * kvHeads) * headDim;
  const out = new Float64Array(rows * heads * headDim);
  const lse = new Float64Array(rows * heads);
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads; h++) {
      const valueAt = (heads + kvHeads + Math.floor(h / (heads / kvHeads))) * headDim;
      const row = probabilities(qkv, segments, shape, n, h);
      lse[n * heads + h] = row.lse;
      row.p.forEach((p, i) => {
        for (let d = 0; d < headDim; d++)
          out[(n * heads + h) * headDim + d] += p * qkv[(row.start + i) * width + valueAt + d];
      });
    }
  }
  return { out, lse };
}

/** dqkv (N, H+2K, D) for the upstream gradient dout (N, H, D). */
export function attentionBackwardReference(
  qkv: ArrayLike<number>,
  segments: Uint32Array,
  dout: ArrayLike<number>,
  shape: AttentionShape,
): Float64Array {
  const { heads, kvHeads, headDim } = shape;
  const rows = segments.length / 2;
  const width = (heads + 2 * kvHeads) * headDim;
  const scale = 1 / Math.sqrt(headDim);
  const dqkv = new Float64Array(rows * width);
  for (let n = 0; n < rows; n++) {
    for (let h = 0; h < heads; h++) {
      const keyAt = (heads + Math.floor(h / (heads / kvHeads))) * headDim;
      const valueAt = keyAt + kvHeads * headDim;
      const { start, p } = probabilities(qkv, segments, shape, n, h);
      const dp = p.map((_, i) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++)
          dot += dout[(n * heads + h) * headDim + d] * qkv[(start + i) * width + valueAt + d];
        return dot;
      });
      const mean = p.reduce((sum, pi, i) => sum + pi * dp[i], 0);
      p.forEach((pi, i) => {
        const row = (start + i) * width;
        const ds = scale * pi * (dp[i] - mean);
        for (let d = 0; d < headDim; d++) {
          dqkv[n * width + h * headDim + d] += ds * qkv[row + keyAt + d];
          dqkv[row + keyAt + d] += ds * qkv[n * width + h * headDim + d];
          dqkv[row + valueAt + d] += pi * dout[(n * heads + h) * headDim + d];
        }
      });
    }
  }
  return dqkv;
}

/** out (B, H, D): query head vectors attend `lengths[b]` cached positions of keys and values (slots, K, S, D). */
export function decodeAttentionReference(
  qkv: ArrayLike<number>,
  cacheKeys: ArrayLike<number>,
  cacheValues: ArrayLike<number>,
  rows: readonly { source: number; slot: number; length: number }[],
  { heads, kvHeads, headDim, capacity }: AttentionShape & { capacity: number },
): Float64Array {
  const out = new Float64Array(rows.length * heads * headDim);
  const width = (heads + 2 * kvHeads) * headDim;
  rows.forEach(({ source, slot, length }, b) => {
    for (let h = 0; h < heads; h++) {
      const base = (slot * kvHeads + Math.floor(h / (heads / kvHeads))) * capacity * headDim;
      const scores = Array.from({ length }, (_, j) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++)
          dot += qkv[source * width + h * headDim + d] * cacheKeys[base + j * headDim + d];
        return dot / Math.sqrt(headDim);
      });
      const max = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - max), 0);
      scores.forEach((score, j) => {
        for (let d = 0; d < headDim; d++) {
          out[(b * heads + h) * headDim + d] +=
            (Math.exp(score - max) / total) * cacheValues[base + j * headDim + d];
        }
      });
    }
  });
  return out;
}
