import { describe, expect, it } from "vitest";
import { headTile } from "../../../src/kernels/head/head_tile.ts";
import { expectClose, runKernel } from "../../gpu_harness.ts";
import { headReference } from "../../reference/head.ts";
import { oneWorkgroup } from "../one_workgroup.ts";
import { headCase, runHead } from "./head_pass.ts";

const tolerance = { rtol: 1e-5, atol: 1e-5 };

// Broken on purpose once: the target looked up without tile_start, the old sums not rescaled, −gap left out of the
// third sum, lanes of the last row's team idle. Each fails below.
describe("headTile()", () => {
  for (const [rows, vocab, tiles] of [
    [1, 1, [1]],
    [7, 24, [24, 7, 1]],
    [37, 131, [131, 64, 33]],
    [3, 1033, [1033, 256, 1000]],
  ] as const) {
    for (const overrides of [
      { WORKGROUP_SIZE: 32, COLUMNS_PER_LANE: 32 },
      { WORKGROUP_SIZE: 64, COLUMNS_PER_LANE: 5 },
    ]) {
      for (const temperature of [1, 0.7]) {
        it(`gives ${rows}×${vocab} the same result by tiles of ${tiles} at temperature ${temperature}, ${JSON.stringify(overrides)}`, async () => {
          const shape = { rows, vocab, temperature };
          const inputs = headCase(shape);
          const want = headReference(inputs.logits, inputs.targets, shape);
          const fold = headTile.with(overrides);
          for (const tile of tiles) {
            const got = await runHead(inputs, shape, tile, fold);
            for (const name of ["logprob", "entropy", "lse"] as const) {
              expectClose(`${name} by ${tile}`, got[name], want[name], tolerance);
            }
            expect(await runHead(inputs, shape, tile, fold)).toEqual(got);
            expect(await runHead(inputs, shape, tile, oneWorkgroup(fold))).toEqual(got);
          }
        });
      }
    }
  }

  it("keeps its precision where logits are large, far apart or excluded", async () => {
    const rows = [
      [1e4, 1e4 - 1, 1e4 - 2, -1e4, 0, 1e4 - 3],
      [-1e4, -1e4 - 1, -1e4 - 2, -1e4, -1e4, -1e4],
      [3e38, 0, -3e38, 1, 2, 3],
      [-3e38, -3e38, -3e38, -3e38, -3e38, -3e38],
      [Number.NEGATIVE_INFINITY, 1, Number.NEGATIVE_INFINITY, 2, 3, Number.NEGATIVE_INFINITY],
    ];
    const inputs = {
      logits: Float32Array.from(rows.flat()),
      targets: Uint32Array.of(1, 2, 0, 3, 4),
    };
    const shape = { rows: 5, vocab: 6, temperature: 1 };
    const want = headReference(inputs.logits, inputs.targets, shape);
    for (const tile of [6, 3, 1]) {
      const got = await runHead(inputs, shape, tile, headTile.with({ COLUMNS_PER_LANE: 1 }));
      expectClose("logprob", got.logprob, want.logprob, tolerance);
      expectClose("entropy", got.entropy, want.entropy, tolerance);
    }
  });

  it("does not hide a logit that is NaN, and keeps it to its row", async () => {
    const shape = { rows: 3, vocab: 40, temperature: 1 };
    const inputs = headCase(shape);
    inputs.logits[1 * 40 + 17] = Number.NaN;
    for (const tile of [40, 16]) {
      const got = await runHead(inputs, shape, tile);
      for (const name of ["logprob", "entropy", "lse"] as const) {
        expect([...got[name]].map(Number.isNaN), name).toEqual([false, true, false]);
      }
    }
  });

  it("leaves a target outside the tile as it is", async () => {
    const logits = Float32Array.of(1, 2, 3, 4);
    const state = Float32Array.of(0, 1, 0, 7, 0, 1, 0, 7);
    const dims = { rows: 2, tile_width: 2, tile_start: 10, first: 0, inverse_temperature: 0.5 };
    const got = await runKernel(headTile, { logits, targets: Uint32Array.of(9, 11), state }, dims);
    expect([got.state[3], got.state[7]]).toEqual([7, 2]);
  });
});
