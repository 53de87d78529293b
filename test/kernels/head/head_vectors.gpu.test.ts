import { describe, it } from "vitest";
import { headTileBackward } from "../../../src/kernels/head/head_tile_backward.ts";
import { expectClose, largest, runKernel } from "../../gpu_harness.ts";
import { hasVectors, readVectors } from "../../reference/vectors.ts";
import { runHead } from "./head_pass.ts";

/** (rows, columns) = a (rows, inner) · b (columns, inner)ᵀ, summed in f64. */
function timesTransposed(a: ArrayLike<number>, b: ArrayLike<number>, inner: number): Float32Array {
  const columns = b.length / inner;
  return Float32Array.from({ length: (a.length / inner) * columns }, (_, i) => {
    const [n, v] = [Math.floor(i / columns) * inner, (i % columns) * inner];
    let sum = 0;
    for (let c = 0; c < inner; c++) sum += a[n + c] * b[v + c];
    return sum;
  });
}

describe.skipIf(!hasVectors)("the head against the float64 vectors", () => {
  for (const [name, tile] of [
    ["1x2x3", 1],
    ["7x131x24", 64],
    ["33x1000x48", 448],
    ["5x50257x8", 8192],
  ] as const) {
    it(`${name} by tiles of ${tile}: log-probability, entropy and the hidden state's gradient`, async () => {
      const vectors = readVectors(`kernels/head-${name}.safetensors`);
      const [rows, width] = vectors.shape("hidden");
      const [vocab] = vectors.shape("weight");
      const weight = vectors.floats("weight");
      const targets = vectors.words("target");
      const logits = timesTransposed(vectors.floats("hidden"), weight, width);
      const got = await runHead({ logits, targets }, { rows, vocab, temperature: 1 }, tile);
      // The logits were rounded to f32 on the way: 1e-5 relative and absolute still.
      expectClose("logprob", got.logprob, vectors.floats("out"), { rtol: 1e-5, atol: 1e-5 });
      expectClose("entropy", got.entropy, vectors.floats("entropy"), { rtol: 1e-5, atol: 1e-5 });
      const { logits: dlogits } = await runKernel(
        headTileBackward,
        { lse: got.lse, targets, grad: vectors.floats("grad_out"), logits },
        { rows, tile_width: vocab, tile_start: 0, inverse_temperature: 1 },
      );
      const want = vectors.floats("grad_hidden");
      const columns = Float32Array.from(
        { length: weight.length },
        (_, i) => weight[(i % vocab) * width + Math.floor(i / vocab)],
      );
      const dhidden = timesTransposed(dlogits, columns, vocab);
      expectClose("grad_hidden", dhidden, want, { atol: 1e-5 * largest(want), shape: [rows, width] });
    });
  }
});
