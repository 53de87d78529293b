/** The forward pass of the head over any split of the vocabulary, and its logits by seed. */
import { Recorder } from "../../../src/gpu/recorder.ts";
import { headFinish } from "../../../src/kernels/head/head_finish.ts";
import { headTile } from "../../../src/kernels/head/head_tile.ts";
import { normals, testGpu, uniform } from "../../gpu_harness.ts";
import type { HeadShape } from "../../reference/head.ts";

/** Logits (M, V) as wide as a trained model's, and targets of which the last column is one. */
export function headCase({ rows, vocab }: HeadShape) {
  const next = uniform(rows + vocab);
  const targets = Uint32Array.from({ length: rows }, () => Math.floor(next() * vocab));
  targets[rows - 1] = vocab - 1;
  return { logits: normals(rows * vocab, rows + 3 * vocab, 4), targets };
}

/** Columns start … start + width of (M, V) as a tile of their own. */
export function tileOf(logits: Float32Array, vocab: number, start: number, width: number): Float32Array {
  const tile = new Float32Array((logits.length / vocab) * width);
  for (let i = 0; i < tile.length; i++) {
    tile[i] = logits[Math.floor(i / width) * vocab + start + (i % width)];
  }
  return tile;
}

/** Folds tiles of `tile` columns (the last one narrower) and finishes; (M) each. */
export async function runHead(
  { logits, targets }: { logits: Float32Array; targets: Uint32Array },
  { rows, vocab, temperature }: HeadShape,
  tile: number,
  fold = headTile,
) {
  const gpu = await testGpu();
  await gpu.compile([fold, headFinish]);
  const recorder = new Recorder(gpu, "head");
  using target = gpu.bufferFrom("targets", targets);
  // What an earlier batch left behind must not matter.
  using state = gpu.bufferFrom("state", new Float32Array(4 * rows).fill(Number.NaN));
  using logprob = gpu.buffer("logprob", rows);
  using entropy = gpu.buffer("entropy", rows);
  using lse = gpu.buffer("lse", rows);
  for (let start = 0; start < vocab; start += tile) {
    const width = Math.min(tile, vocab - start);
    using columns = gpu.bufferFrom("logits", tileOf(logits, vocab, start, width));
    fold.encode(
      recorder,
      { logits: columns, targets: target, state },
      {
        rows,
        tile_width: width,
        tile_start: start,
        first: start === 0 ? 1 : 0,
        inverse_temperature: 1 / temperature,
      },
    );
    recorder.submit();
  }
  headFinish.encode(recorder, { state, logprob, entropy, lse }, { rows });
  recorder.submit();
  const [got, spread, total] = await Promise.all([
    logprob.readFloats(),
    entropy.readFloats(),
    lse.readFloats(),
  ]);
  return { logprob: got, entropy: spread, lse: total };
}
