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
