/** The sizes that kernels are measured at: the built-in policy's, and a larger model's in few rows. */
import type { ModelConfig } from "../model/config.ts";

export interface ShapeSet {
  /** Names the set in tables. */
  name: string;
  /** C */
  width: number;
  /** F */
  mlpWidth: number;
  /** H */
  heads: number;
  /** K */
  kvHeads: number;
  /** D */
  headDim: number;
  /** V */
  vocab: number;
  /** Vocabulary entries that the head takes at once. */
  tile: number;
  /** N: rows of a training micro-batch, in sequences of T tokens. */
  rows: number;
  /** T */
  tokens: number;
  /** B: rows of a decode step. */
  decodeRows: number;
  /** S: cache capacity; half of it is filled. */
  capacity: number;
  /** Parameters that the optimiser's kernels go over. */
  parameters: number;
}

/** Wide models are measured in few rows, so that a processor gets through. */
const WIDE = 512;

/** The sizes of a model: those of the default recipe's micro-batches, or few rows for a wide model. */
export function shapeSet(
  name: string,
  config: Pick<ModelConfig, "width" | "mlpWidth" | "heads" | "kvHeads" | "headDim" | "vocabSize">,
): ShapeSet {
  const { width, mlpWidth, heads, kvHeads, headDim, vocabSize } = config;
  const wide = width >= WIDE;
  return {
    name,
    width,
    mlpWidth,
    heads,
    kvHeads,
    headDim,
    vocab: vocabSize,
    tile: Math.min(vocabSize, 2048),
    rows: wide ? 128 : 2048,
    tokens: wide ? 128 : 30,
    decodeRows: wide ? 16 : 128,
    capacity: wide ? 256 : 64,
    parameters: wide ? 2 ** 22 : 2 ** 19,
  };
}

/** SmolLM2-135M's layer. */
export const WIDE_SHAPE = shapeSet("wide", {
  width: 576,
  mlpWidth: 1536,
  heads: 9,
  kvHeads: 3,
  headDim: 64,
  vocabSize: 49152,
});

/** The built-in policy's layer. */
export const SMALL_SHAPE = shapeSet("small", {
  width: 128,
  mlpWidth: 344,
  heads: 4,
  kvHeads: 4,
  headDim: 32,
  vocabSize: 28,
});

/** (segments + 1) where each sequence of T tokens starts; the last may be shorter. */
export function sequenceStarts(rows: number, tokens: number): Uint32Array<ArrayBuffer> {
  const count = Math.ceil(rows / tokens);
  return Uint32Array.from({ length: count + 1 }, (_, i) => Math.min(rows, i * tokens));
}

/** Pairs of a query and a key it may see, over all sequences. */
export function causalPairs(rows: number, tokens: number): number {
  const starts = sequenceStarts(rows, tokens);
  let pairs = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    const length = starts[i + 1] - starts[i];
    pairs += (length * (length + 1)) / 2;
  }
  return pairs;
}
