/** The angles of the rotary embedding, computed in f64 on the host so that long positions stay exact. */
import type { RopeScaling } from "../../model/config.ts";

export interface RopeOptions {
  headDim: number;
  theta: number;
  scaling?: RopeScaling;
}

/** (D/2) inverse frequencies; Llama 3.1 stretches the low ones (arXiv:2407.21783). */
export function ropeFrequencies({ headDim, theta, scaling }: RopeOptions): Float64Array {
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  if (!scaling) return frequencies;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return frequencies.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > originalMaxPositions / lowFreqFactor) return frequency / factor;
    if (wavelength < originalMaxPositions / highFreqFactor) return frequency;
    const smooth = (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** (positions, D/2, 2) cosines and sines. */
export function ropeTable(options: RopeOptions, positions: number): Float32Array<ArrayBuffer> {
  const frequencies = ropeFrequencies(options);
  const table = new Float32Array(positions * options.headDim);
  let at = 0;
  for (let position = 0; position < positions; position++) {
    for (const frequency of frequencies) {
      table[at++] = Math.cos(position * frequency);
      table[at++] = Math.sin(position * frequency);
    }
  }
  return table;
}
