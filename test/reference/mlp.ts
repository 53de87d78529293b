/** Float64 twins of shaders/mlp: gateUp (N, 2F) holds F gates, then F ups, in each row. */

/** act (N, F) = gate·σ(gate)·up. */
export function swigluReference(gateUp: ArrayLike<number>, width: number): Float64Array {
  return Float64Array.from({ length: gateUp.length / 2 }, (_, i) => {
    const at = Math.floor(i / width) * 2 * width + (i % width);
    return (gateUp[at] / (1 + Math.exp(-gateUp[at]))) * gateUp[at + width];
  });
}

/** The gradient of swigluReference, (N, 2F). */
export function swigluBackwardReference(
  gateUp: ArrayLike<number>,
  dact: ArrayLike<number>,
  width: number,
): Float64Array {
  const d = new Float64Array(gateUp.length);
  for (let i = 0; i < dact.length; i++) {
    const at = Math.floor(i / width) * 2 * width + (i % width);
    const gate = gateUp[at];
    const sigma = 1 / (1 + Math.exp(-gate));
    d[at] = dact[i] * gateUp[at + width] * sigma * (1 + gate * (1 - sigma));
    d[at + width] = dact[i] * gate * sigma;
  }
  return d;
}
