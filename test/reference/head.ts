/** Float64 twins of shaders/head. */

export interface HeadShape {
  rows: number;
  vocab: number;
  temperature: number;
}

/** (M) log-probability of the targets, entropy in nats and log-sum-exp of logits (M, V) over temperature. */
export function headReference(logits: ArrayLike<number>, targets: ArrayLike<number>, shape: HeadShape) {
  const { rows, vocab, temperature } = shape;
  const logprob = new Float64Array(rows);
  const entropy = new Float64Array(rows);
  const lse = new Float64Array(rows);
  for (let m = 0; m < rows; m++) {
    const z = Array.from({ length: vocab }, (_, v) => logits[m * vocab + v] / temperature);
    const max = Math.max(...z);
    let sum = 0;
    for (const value of z) sum += Math.exp(value - max);
    const logSum = Math.log(sum);
    lse[m] = max + logSum;
    logprob[m] = z[targets[m]] - max - logSum;
    for (const value of z) {
      const p = Math.exp(value - max - logSum);
      if (p > 0) entropy[m] -= p * (value - max - logSum);
    }
  }
  return { logprob, entropy, lse };
}

/** (M, V) gradient of Σ grad · logprob. */
export function headBackwardReference(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  grad: ArrayLike<number>,
  shape: HeadShape,
): Float64Array {
  const { rows, vocab, temperature } = shape;
  const { lse } = headReference(logits, targets, shape);
  const dlogits = new Float64Array(rows * vocab);
  for (let m = 0; m < rows; m++) {
    for (let v = 0; v < vocab; v++) {
      const p = Math.exp(logits[m * vocab + v] / temperature - lse[m]);
      dlogits[m * vocab + v] = (grad[m] / temperature) * ((v === targets[m] ? 1 : 0) - p);
    }
  }
  return dlogits;
}
