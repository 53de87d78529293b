import { describe, expect, it } from "vitest";
import { rope } from "../../../src/kernels/embedding/rope.ts";
import { ropeFrequencies, ropeTable } from "../../../src/kernels/embedding/rope_table.ts";
import { expectClose, largest, normals, runKernel, uniform } from "../../gpu_harness.ts";
import { ropeReference } from "../../reference/embedding.ts";
import { oneWorkgroup } from "../one_workgroup.ts";

const SIZES = [
  [1, 1, 1, 2],
  [5, 4, 2, 8],
  [37, 3, 1, 34],
  [7, 2, 2, 128],
];

// Broken on purpose once: interleaved pairs, positions by element, the sign of sin, values turned too. Each fails below.
describe("rope()", () => {
  for (const [rows, heads, kvHeads, headDim] of SIZES) {
    for (const size of [32, 256]) {
      it(`turns ${rows} rows of ${heads}+2·${kvHeads} heads of ${headDim} with ${size} lanes`, async () => {
        const next = uniform(rows);
        const options = { headDim, theta: 10000 };
        const positions = Uint32Array.from({ length: rows }, () => Math.floor(next() * 500));
        const qkv = normals(rows * (heads + 2 * kvHeads) * headDim, 1);
        const inputs = { positions, table: ropeTable(options, 500), qkv };
        const dims = { rows, heads, kv_heads: kvHeads, head_dim: headDim, max_positions: 500 };
        const kernel = rope.with({ WORKGROUP_SIZE: size });
        const got = (await runKernel(kernel, inputs, dims)).qkv;
        const want = ropeReference({ heads, kvHeads, headDim }, qkv, positions, ropeFrequencies(options));
        expectClose("qkv", got, want, {
          atol: 1e-6 * largest(want),
          shape: [rows, heads + 2 * kvHeads, headDim],
        });
        for (const same of [kernel, oneWorkgroup(kernel)]) {
          expect((await runKernel(same, inputs, dims)).qkv).toEqual(got);
        }
      });
    }
  }

  it("reads the last position of the table for every one beyond it", async () => {
    const table = ropeTable({ headDim: 4, theta: 100 }, 3);
    const dims = { rows: 2, heads: 1, kv_heads: 1, head_dim: 4, max_positions: 3 };
    const qkv = normals(24, 1);
    const beyond = { positions: Uint32Array.of(3, 0xffffffff), table, qkv };
    const last = { positions: Uint32Array.of(2, 2), table, qkv };
    expect(await runKernel(rope, beyond, dims)).toMatchObject({
      qkv: (await runKernel(rope, last, dims)).qkv,
    });
  });
});

describe("ropeFrequencies()", () => {
  it("falls from 1 by powers of theta", () => {
    const [first, second] = ropeFrequencies({ headDim: 4, theta: 10000 });
    expect(first).toBe(1);
    expect(second).toBeCloseTo(0.01, 15);
  });

  it("scales as Llama 3.1: high frequencies stay, low ones are divided, those between are blended", () => {
    const scaling = {
      kind: "llama3" as const,
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    };
    const plain = ropeFrequencies({ headDim: 128, theta: 500000 });
    const scaled = ropeFrequencies({ headDim: 128, theta: 500000, scaling });
    expect(scaled[0]).toBe(plain[0]);
    expect(scaled[63]).toBe(plain[63] / 8);
    for (let i = 0; i < 64; i++) {
      const wavelength = (2 * Math.PI) / plain[i];
      if (wavelength < 2048) expect(scaled[i]).toBe(plain[i]);
      else if (wavelength > 8192) expect(scaled[i]).toBe(plain[i] / 8);
      else {
        // The share that stays falls linearly with the turns made within the original 8192 positions, from 4 to 1.
        const share = (8192 / wavelength - 1) / 3;
        expect(scaled[i] / plain[i]).toBeCloseTo(1 / 8 + (share * 7) / 8, 12);
      }
    }
  });

  it("keeps far positions exact: the table is made in f64", () => {
    const table = ropeTable({ headDim: 2, theta: 10000 }, 100_001);
    expect(table[200_000]).toBe(Math.fround(Math.cos(100_000)));
    expect(table[200_001]).toBe(Math.fround(Math.sin(100_000)));
  });
});
