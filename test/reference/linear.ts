/** Float64 twins of shaders/linear. Shapes: x (N, I), w (O, I), y and dy (N, O). */

export interface LinearShape {
  rows: number;
  outputs: number;
  inputs: number;
}

type Numbers = ArrayLike<number>;

/** y[n,o] = Σ_k x[n,k]·w[o,k] (+ bias[o]). */
export function linearReference(shape: LinearShape, x: Numbers, w: Numbers, bias?: Numbers): Float64Array {
  const { rows, outputs, inputs } = shape;
  const y = new Float64Array(rows * outputs);
  for (let n = 0; n < rows; n++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias ? bias[o] : 0;
      for (let k = 0; k < inputs; k++) sum += x[n * inputs + k] * w[o * inputs + k];
      y[n * outputs + o] = sum;
    }
  }
  return y;
}

/** dx[n,k] = Σ_o dy[n,o]·w[o,k]. */
export function linearBackwardInputReference(shape: LinearShape, dy: Numbers, w: Numbers): Float64Array {
  const { rows, outputs, inputs } = shape;
  const dx = new Float64Array(rows * inputs);
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < outputs; o++)
      for (let k = 0; k < inputs; k++) dx[n * inputs + k] += dy[n * outputs + o] * w[o * inputs + k];
  return dx;
}

/** dw[o,k] = Σ_n dy[n,o]·x[n,k]. */
export function linearBackwardWeightReference(shape: LinearShape, dy: Numbers, x: Numbers): Float64Array {
  const { rows, outputs, inputs } = shape;
  const dw = new Float64Array(outputs * inputs);
  for (let n = 0; n < rows; n++)
    for (let o = 0; o < outputs; o++)
      for (let k = 0; k < inputs; k++) dw[o * inputs + k] += dy[n * outputs + o] * x[n * inputs + k];
  return dw;
}

/** db[o] = Σ_n dy[n,o]. */
export function biasBackwardReference(dy: Numbers, outputs: number): Float64Array {
  const db = new Float64Array(outputs);
  for (let i = 0; i < dy.length; i++) db[i % outputs] += dy[i];
  return db;
}
