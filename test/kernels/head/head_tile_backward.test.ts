import { describe, expect, it } from "vitest";
import { headTileBackward } from "../../../src/kernels/head/head_tile_backward.ts";
import { expectClose, largest, normals, runKernel } from "../../gpu_harness.ts";
import { type HeadShape, headBackwardReference, headReference } from "../../reference/head.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { headCase, tileOf } from "./head_pass.ts";

/** Asserts 1e-5 of each row's largest entry. */
function expectRows(got: ArrayLike<number>, want: Float64Array, vocab: number): void {
  for (let m = 0; m * vocab < want.length; m++) {
    const row = want.subarray(m * vocab, (m + 1) * vocab);
    const found = Array.from(row, (_, v) => got[m * vocab + v]);
    expectClose(`row ${m}`, found, row, { atol: 1e-5 * largest(row) });
  }
}

/** The gradient of all columns by tiles of `tile`, put side by side again. */
async function backward(
  { logits, targets }: { logits: Float32Array; targets: Uint32Array },
  grad: Float32Array,
  shape: HeadShape,
  tile: number,
  kernel = headTileBackward,
): Promise<Float32Array> {
  const { rows, vocab, temperature } = shape;
  const lse = Float32Array.from(headReference(logits, targets, shape).lse);
  const whole = new Float32Array(logits.length);
  for (let start = 0; start < vocab; start += tile) {
    const width = Math.min(tile, vocab - start);
    const got = await runKernel(
      kernel,
      { lse, targets, grad, logits: tileOf(logits, vocab, start, width) },
      { rows, tile_width: width, tile_start: start, inverse_temperature: 1 / temperature },
    );
    for (let i = 0; i < got.logits.length; i++) {
      whole[Math.floor(i / width) * vocab + start + (i % width)] = got.logits[i];
    }
  }
  return whole;
}

// Broken on purpose once: the target without tile_start, temperature applied once only, the sign. Each fails below.
describe("headTileBackward()", () => {
  for (const [rows, vocab, tile] of [
    [1, 1, 1],
    [7, 24, 7],
    [37, 131, 64],
    [3, 1033, 256],
  ]) {
    for (const size of [32, 64]) {
      for (const temperature of [1, 0.7]) {
        it(`takes ${rows}×${vocab} back at temperature ${temperature} with ${size} lanes, whole or by ${tile}`, async () => {
          const shape = { rows, vocab, temperature };
          const inputs = headCase(shape);
          const grad = normals(rows, 4);
          const kernel = headTileBackward.with({ WORKGROUP_SIZE: size });
          const got = await backward(inputs, grad, shape, vocab, kernel);
          const want = headBackwardReference(inputs.logits, inputs.targets, grad, shape);
          // One column has probability 1 and no gradient: what cancels, grad / temperature, sets the scale.
          if (vocab === 1) expectClose("dlogits", got, want, { atol: 1e-5 * largest(grad) });
          else expectRows(got, want, vocab);
          expect(await backward(inputs, grad, shape, tile, kernel)).toEqual(got);
          expect(await backward(inputs, grad, shape, vocab, oneWorkgroup(kernel))).toEqual(got);
        });
      }
    }
  }

  it("is the slope of the log-probabilities by central differences", async () => {
    const shape = { rows: 3, vocab: 11, temperature: 1.5 };
    const inputs = headCase(shape);
    const grad = normals(3, 5);
    const got = await backward(inputs, grad, shape, 11);
    const loss = (logits: Float64Array) =>
      headReference(logits, inputs.targets, shape).logprob.reduce((sum, lp, m) => sum + grad[m] * lp, 0);
    const slopes = Float64Array.from(inputs.logits, (_, i) => {
      const shifted = (by: number) => Float64Array.from(inputs.logits, (x, j) => (i === j ? x + by : x));
      return (loss(shifted(1e-5)) - loss(shifted(-1e-5))) / 2e-5;
    });
    expectRows(got, slopes, 11);
  });

  it("gives zeros to a row without gradient, whatever its logits and lse are", async () => {
    const logits = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 1, 2);
    const lse = Float32Array.of(Number.NaN, 2 + Math.log1p(Math.exp(-1)));
    const inputs = { lse, targets: Uint32Array.of(0, 1), grad: Float32Array.of(0, 1), logits };
    const dims = { rows: 2, tile_width: 2, tile_start: 0, inverse_temperature: 1 };
    const got = await runKernel(headTileBackward, inputs, dims);
    const p = 1 / (1 + Math.E);
    expectClose("dlogits", got.logits, [0, 0, -p, p], { rtol: 1e-5 });
  });
});
