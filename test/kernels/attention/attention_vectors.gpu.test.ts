import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { attention } from "../../../src/kernels/attention/attention.ts";
import { attentionBackwardKeyValue } from "../../../src/kernels/attention/attention_backward_key_value.ts";
import { attentionBackwardQuery } from "../../../src/kernels/attention/attention_backward_query.ts";
import { attentionDelta } from "../../../src/kernels/attention/attention_delta.ts";
import { parseSafetensors } from "../../../src/model/safetensors.ts";
import { expectClose, largest, runKernel } from "../../gpu_harness.ts";
import { segmentsOf } from "../../reference/attention.ts";

const folder = new URL("../../../../shared/reference/vectors/kernels/", import.meta.url);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith("attention-")) : [];

/** Lays (N, heads, D) parts side by side as (N, all heads, D). */
function fuse(rows: number, parts: readonly ArrayLike<number>[]): Float32Array {
  const widths = parts.map((part) => part.length / rows);
  const width = widths.reduce((a, b) => a + b);
  const fused = new Float32Array(rows * width);
  let at = 0;
  parts.forEach((part, i) => {
    for (let j = 0; j < part.length; j++)
      fused[Math.floor(j / widths[i]) * width + at + (j % widths[i])] = part[j];
    at += widths[i];
  });
  return fused;
}

describe.skipIf(files.length === 0)("attention against the float64 vectors", () => {
  for (const name of files) {
    it(`${name}: output and gradients`, async () => {
      const { tensors, metadata } = parseSafetensors(readFileSync(new URL(name, folder)));
      const read = (key: string) => tensors.get(key)?.data() as Float32Array | Float64Array;
      const [rows, heads, D] = tensors.get("q")?.shape ?? [];
      const kvHeads = tensors.get("k")?.shape[1] ?? 0;
      const qkv = fuse(rows, [read("q"), read("k"), read("v")]);
      const segments = segmentsOf(JSON.parse(metadata.lengths));
      const dims = { rows, heads, kv_heads: kvHeads, head_dim: D, scale: 1 / Math.sqrt(D) };
      const empty = { out: new Float32Array(rows * heads * D), lse: new Float32Array(rows * heads) };
      const { out, lse } = await runKernel(attention(D), { qkv, segments, ...empty }, dims);
      const shape = [rows, heads, D];
      expectClose("out", out, read("out"), { atol: 1e-5 * largest(read("out")), rtol: 1e-5, shape });

      const dout = Float32Array.from(read("grad_out"));
      const { delta } = await runKernel(attentionDelta, { dout, out, delta: lse.slice() }, dims);
      const upstream = { qkv, segments, dout, lse, delta };
      const query = await runKernel(
        attentionBackwardQuery(D),
        { ...upstream, dqkv: new Float32Array(qkv.length) },
        dims,
      );
      const { dqkv } = await runKernel(attentionBackwardKeyValue(D), { ...upstream, dqkv: query.dqkv }, dims);
      const want = fuse(rows, [read("grad_q"), read("grad_k"), read("grad_v")]);
      expectClose("dqkv", dqkv, want, { atol: 1e-4 * largest(want), shape: [rows, heads + 2 * kvHeads, D] });
    });
  }
});
