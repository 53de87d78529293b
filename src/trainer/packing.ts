/**
 * Greedy collation: sequences of different lengths go into micro-batches of a fixed token capacity, longest first,
 * each into the first micro-batch with room (arXiv:2506.10910 §3). Deterministic: equal lengths keep their order.
 */
import { ConfigError } from "../errors.ts";

export interface PackPlan {
  /** Indices of the sequences in each micro-batch. */
  microBatches: number[][];
  /** Tokens that one micro-batch holds. */
  capacity: number;
  stats: PackStats;
}

export interface PackStats {
  microBatches: number;
  sequences: number;
  /** Tokens of all sequences. */
  tokens: number;
  /** Tokens of the fullest micro-batch. */
  fullest: number;
  /** Tokens over capacity of all micro-batches, 0 to 1. */
  fill: number;
  /** Share of the capacity that stays empty, 0 to 1. */
  padding: number;
}

/**
 * Packs `lengths` into as few micro-batches as first-fit finds. `order: "arrival"` neither
 * sorts nor looks back: it fills one micro-batch after another, for comparison.
 * @param kinds one per sequence; different ones share no micro-batch.
 * @throws ConfigError when one sequence alone exceeds the capacity; RangeError for lengths or a capacity below 1.
 */
export function packSequences(
  lengths: ArrayLike<number>,
  capacity: number,
  order: "length" | "arrival" = "length",
  kinds?: ArrayLike<number>,
): PackPlan {
  if (!(Number.isInteger(capacity) && capacity > 0)) {
    throw new RangeError(
      `Cannot pack into micro-batches of ${capacity} tokens: a whole number from 1 is needed`,
    );
  }
  const indices = Array.from({ length: lengths.length }, (_, i) => i);
  for (const i of indices) {
    if (!(Number.isInteger(lengths[i]) && lengths[i] > 0)) {
      throw new RangeError(
        `Cannot pack sequence ${i} of length ${lengths[i]}: a whole number from 1 is needed`,
      );
    }
    if (lengths[i] > capacity) {
      throw new ConfigError(
        "trainer/sequence-over-capacity",
        `Cannot pack sequence ${i} of ${lengths[i]} tokens: a micro-batch holds ${capacity}`,
        {
          hint: `Set trainer.microBatchTokens to at least ${lengths[i]}, or shorten prompts or completions.`,
        },
      );
    }
  }
  // Array sort is stable, so equal lengths keep their order.
  if (order === "length") indices.sort((a, b) => lengths[b] - lengths[a]);
  const microBatches: number[][] = [];
  const room: number[] = [];
  const kindOf = (i: number) => kinds?.[i];
  for (const i of indices) {
    const first = order === "length" ? 0 : Math.max(0, room.length - 1);
    let at = room.findIndex(
      (free, bin) => bin >= first && free >= lengths[i] && kindOf(microBatches[bin][0]) === kindOf(i),
    );
    if (at < 0) {
      at = microBatches.length;
      microBatches.push([]);
      room.push(capacity);
    }
    microBatches[at].push(i);
    room[at] -= lengths[i];
  }
  return { microBatches, capacity, stats: packStats(room, capacity, lengths.length) };
}

function packStats(room: readonly number[], capacity: number, sequences: number): PackStats {
  const space = room.length * capacity;
  const tokens = room.reduce((sum, free) => sum + capacity - free, 0);
  const fill = space === 0 ? 0 : tokens / space;
  return {
    microBatches: room.length,
    sequences,
    tokens,
    fullest: room.reduce((most, free) => Math.max(most, capacity - free), 0),
    fill,
    padding: space === 0 ? 0 : 1 - fill,
  };
}

/** The statistics under TRL's names. */
export function packMetrics(stats: PackStats): Record<string, number> {
  return {
    "batch/microbatches_per_step": stats.microBatches,
    "batch/samples_per_step": stats.sequences,
    "batch/forwarded_tokens_per_step": stats.tokens,
    "batch/row_tokens_max": stats.fullest,
    "batch/row_tokens_mean": stats.microBatches === 0 ? 0 : stats.tokens / stats.microBatches,
    "batch/row_fill_frac": stats.fill,
    "batch/pad_frac": stats.padding,
  };
}
