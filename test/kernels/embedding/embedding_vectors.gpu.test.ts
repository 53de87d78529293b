import { describe, expect, it } from "vitest";
import { embedding } from "../../../src/kernels/embedding/embedding.ts";
import { embeddingBackward } from "../../../src/kernels/embedding/embedding_backward.ts";
import { embeddingPlan } from "../../../src/kernels/embedding/embedding_plan.ts";
import { rope } from "../../../src/kernels/embedding/rope.ts";
import { ropeBackward } from "../../../src/kernels/embedding/rope_backward.ts";
import { ropeTable } from "../../../src/kernels/embedding/rope_table.ts";
import { expectClose, largest, runKernel } from "../../gpu_harness.ts";
import { hasVectors, readVectors } from "../../reference/vectors.ts";

/** (N, H+2, D): the heads of `x` (N, H·D) as queries, with a key and a value head of zeros. */
function fuse(x: Float32Array, rows: number, width: number, headDim: number): Float32Array {
  const stride = width + 2 * headDim;
  const qkv = new Float32Array(rows * stride);
  for (let n = 0; n < rows; n++) qkv.set(x.subarray(n * width, (n + 1) * width), n * stride);
  return qkv;
}

describe.skipIf(!hasVectors)("embeddings against the float64 vectors", () => {
  for (const name of ["9x2x8", "37x3x64", "5x1x128"]) {
    it(`rope ${name}: output and gradient`, async () => {
      const vectors = readVectors(`kernels/rope-${name}.safetensors`);
      const [rows, heads, headDim] = vectors.shape("x");
      const first = Number(vectors.metadata.first_position);
      const positions = Uint32Array.from({ length: rows }, (_, n) => first + n);
      const table = ropeTable({ headDim, theta: Number(vectors.metadata.theta) }, first + rows);
      const dims = { rows, heads, kv_heads: 1, head_dim: headDim, max_positions: first + rows };
      const fused = (tensor: string) => fuse(vectors.floats(tensor), rows, heads * headDim, headDim);
      const check = (got: Float32Array, tensor: string) => {
        const want = fused(tensor);
        expectClose(tensor, got, want, { atol: 1e-6 * largest(want), shape: [rows, heads + 2, headDim] });
      };
      check((await runKernel(rope, { positions, table, qkv: fused("x") }, dims)).qkv, "out");
      const dqkv = fused("grad_out");
      check((await runKernel(ropeBackward, { positions, table, dqkv }, dims)).dqkv, "grad_x");
    });
  }

  it("embedding 7 of 17×12: output and gradient", async () => {
    const vectors = readVectors("kernels/embedding-7of17x12.safetensors");
    const [vocab, width] = vectors.shape("table");
    const ids = vectors.words("ids");
    const rows = ids.length;
    const table = vectors.floats("table");
    const dy = vectors.floats("grad_out");
    const { y } = await runKernel(embedding, { table, ids, y: dy }, { rows, width, vocab, first: 0 });
    expect(y).toEqual(vectors.floats("out"));
    const inputs = { ...embeddingPlan(ids, vocab), dy, dtable: table };
    const { dtable } = await runKernel(embeddingBackward, inputs, {
      vocab,
      width,
      rows,
      accumulate: 0,
      first: 0,
    });
    const want = vectors.floats("grad_table");
    expectClose("grad_table", dtable, want, { atol: 1e-5 * largest(want), shape: [vocab, width] });
  });
});
