/**
 * Float64 twins of shaders/lora. Module t of a fused linear layer covers columns start to start + width of y (N, O);
 * hidden and dhidden (N, modules·R), b and db (the widths' sum, R), module after module.
 */

export interface LoraShape {
  /** N */
  rows: number;
  /** R */
  rank: number;
  /** O */
  outputs: number;
  modules: readonly { start: number; width: number }[];
  scale: number;
}

type Numbers = ArrayLike<number>;

/** Calls `term` with the places in y, hidden and b of every product. */
function eachProduct(shape: LoraShape, term: (y: number, hidden: number, b: number) => void): void {
  const { rows, rank, outputs, modules } = shape;
  let row = 0;
  modules.forEach(({ start, width }, t) => {
    for (let n = 0; n < rows; n++)
      for (let o = 0; o < width; o++)
        for (let j = 0; j < rank; j++)
          term(n * outputs + start + o, (n * modules.length + t) * rank + j, (row + o) * rank + j);
    row += width;
  });
}

/** y[n, start_t + o] + scale · Σ_j hidden[n, t·R + j]·b[row_t + o, j]. */
export function loraExpandReference(shape: LoraShape, hidden: Numbers, b: Numbers, y: Numbers): Float64Array {
  const result = Float64Array.from(y);
  eachProduct(shape, (at, from, weight) => {
    result[at] += shape.scale * hidden[from] * b[weight];
  });
  return result;
}

/** dhidden[n, t·R + j] = scale · Σ_o dy[n, start_t + o]·b[row_t + o, j]. */
export function loraBackwardHiddenReference(shape: LoraShape, dy: Numbers, b: Numbers): Float64Array {
  const dhidden = new Float64Array(shape.rows * shape.modules.length * shape.rank);
  eachProduct(shape, (at, from, weight) => {
    dhidden[from] += shape.scale * dy[at] * b[weight];
  });
  return dhidden;
}

/** db[row_t + o, j] = scale · Σ_n dy[n, start_t + o]·hidden[n, t·R + j]. */
export function loraBackwardExpandReference(shape: LoraShape, dy: Numbers, hidden: Numbers): Float64Array {
  const db = new Float64Array(shape.modules.reduce((sum, { width }) => sum + width, 0) * shape.rank);
  eachProduct(shape, (at, from, weight) => {
    db[weight] += shape.scale * dy[at] * hidden[from];
  });
  return db;
}
