import { describe, expect, it } from "vitest";
import { rope } from "../../../src/kernels/embedding/rope.ts";
import { ropeBackward } from "../../../src/kernels/embedding/rope_backward.ts";
import { ropeFrequencies, ropeTable } from "../../../src/kernels/embedding/rope_table.ts";
import { expectClose, largest, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { ropeReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

// Broken on purpose once: the sign of sin, interleaved pairs, values turned too. Each fails below.
describe("ropeBackward()", () => {
  for (const [rows, heads, kvHeads, headDim] of [
    [1, 1, 1, 2],
    [5, 4, 2, 8],
    [37, 3, 1, 34],
  ]) {
    for (const size of [32, 256]) {
      it(`undoes the turn of ${rows} rows of ${heads}+2·${kvHeads} heads of ${headDim} with ${size} lanes`, async () => {
        const next = uniform(rows);
        const options = { headDim, theta: 10000 };
        const shape = { heads, kvHeads, headDim };
        const positions = Uint32Array.from({ length: rows }, () => Math.floor(next() * 500));
        const table = ropeTable(options, 500);
        const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim, max_positions: 500 };
        const dqkv = normals(rows * (heads + 2 * kvHeads) * headDim, 1);
        const kernel = ropeBackward.with({ WORKGROUP_SIZE: size });
        const got = (await runKernel(kernel, { positions, table, dqkv }, dims)).dqkv;
        const want = ropeReference(shape, dqkv, positions, ropeFrequencies(options), -1);
        const atol = 1e-6 * largest(want);
        expectClose("dqkv", got, want, { atol, shape: [rows, heads + 2 * kvHeads, headDim] });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          expect((await runKernel(same, { positions, table, dqkv }, dims)).dqkv).toEqual(got);
        }
        // Adjoint identity <R u, dy> = <u, Rᵀ dy>.
        const u = normals(dqkv.length, 2);
        const turned = (await runKernel(rope, { positions, table, qkv: u }, dims)).qkv;
        const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
        expect(Math.abs(dot(turned, dqkv) - dot(u, got))).toBeLessThan(
          1e-5 * Math.sqrt(dot(u, u) * dot(got, got)),
        );
      });
    }
  }
});
