/** Float64 twins of shaders/norm. */

/** y (N, C) and rrms (N). */
export function rmsNormReference(x: ArrayLike<number>, weight: ArrayLike<number>, eps: number) {
  const width = weight.length;
  const rows = x.length / width;
  const y = new Float64Array(x.length);
  const rrms = new Float64Array(rows);
  for (let n = 0; n < rows; n++) {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += x[n * width + c] ** 2;
    rrms[n] = 1 / Math.sqrt(sum / width + eps);
    for (let c = 0; c < width; c++) y[n * width + c] = x[n * width + c] * rrms[n] * weight[c];
  }
  return { y, rrms };
}

/** Gradients of rmsNormReference: dx (N, C) and dweight (C). */
export function rmsNormBackwardReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  eps: number,
  dy: ArrayLike<number>,
) {
  const width = weight.length;
  const rows = x.length / width;
  const { rrms } = rmsNormReference(x, weight, eps);
  const dx = new Float64Array(x.length);
  const dweight = new Float64Array(width);
  for (let n = 0; n < rows; n++) {
    let dot = 0;
    for (let i = n * width; i < (n + 1) * width; i++) {
      dot += dy[i] * weight[i % width] * x[i];
      dweight[i % width] += dy[i] * x[i] * rrms[n];
    }
    for (let i = n * width; i < (n + 1) * width; i++)
      dx[i] = rrms[n] * (dy[i] * weight[i % width] - (x[i] * rrms[n] ** 2 * dot) / width);
  }
  return { dx, dweight };
}

export interface HeadShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

/** Each of the first H + K heads of x (N, H+2K, D) normalised by its weight, the others copied; rrms (N, H+K). */
export function headNormReference(
  { heads, kvHeads, headDim }: HeadShape,
  x: ArrayLike<number>,
  qWeight: ArrayLike<number>,
  kWeight: ArrayLike<number>,
  eps: number,
) {
  const all = heads + 2 * kvHeads;
  const normed = heads + kvHeads;
  const y = Float64Array.from(x);
  const rrms = new Float64Array((x.length / (all * headDim)) * normed);
  for (let base = 0, slot = 0; base < x.length; base += headDim) {
    const head = (base / headDim) % all;
    if (head >= normed) continue;
    const one = rmsNormReference(
      Array.from({ length: headDim }, (_, d) => x[base + d]),
      head < heads ? qWeight : kWeight,
      eps,
    );
    y.set(one.y, base);
    rrms[slot++] = one.rrms[0];
  }
  return { y, rrms };
}

/** Gradients of headNormReference. */
export function headNormBackwardReference(
  { heads, kvHeads, headDim }: HeadShape,
  x: ArrayLike<number>,
  qWeight: ArrayLike<number>,
  kWeight: ArrayLike<number>,
  eps: number,
  dy: ArrayLike<number>,
) {
  const all = heads + 2 * kvHeads;
  const dx = Float64Array.from(dy);
  const dq = new Float64Array(headDim);
  const dk = new Float64Array(headDim);
  const cut = (values: ArrayLike<number>, base: number) =>
    Array.from({ length: headDim }, (_, d) => values[base + d]);
  for (let base = 0; base < x.length; base += headDim) {
    const head = (base / headDim) % all;
    if (head >= heads + kvHeads) continue;
    const weight = head < heads ? qWeight : kWeight;
    const one = rmsNormBackwardReference(cut(x, base), weight, eps, cut(dy, base));
    dx.set(one.dx, base);
    const sum = head < heads ? dq : dk;
    for (let d = 0; d < headDim; d++) sum[d] += one.dweight[d];
  }
  return { dx, dq, dk };
}
