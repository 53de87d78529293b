import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Recorder } from "../../../src/gpu/recorder.ts";
import { sample } from "../../../src/kernels/sampling/sample.ts";
import { parseSafetensors, toFloat32 } from "../../../src/model/safetensors.ts";
import { testGpu } from "../../gpu_harness.ts";
import { chiSquare } from "../../reference/sampling.ts";

const vectors = new URL("../../../../shared/reference/vectors/sampling.safetensors", import.meta.url);
const DRAWS = 200_000;

/** Reads settings off a name such as "t0.7-top_p0.95". */
function settingsOf(name: string) {
  const number = (key: string) => Number(name.match(new RegExp(`(?:^|-)${key}([0-9.]+)`))?.[1] ?? Number.NaN);
  return {
    inverse_temperature: 1 / number("t"),
    top_k: number("top_k") || 0,
    top_p: number("top_p") || 1,
    min_p: number("min_p") || 0,
  };
}

describe.skipIf(!existsSync(vectors))("sample() against the reference distributions", () => {
  const { tensors } = existsSync(vectors) ? parseSafetensors(readFileSync(vectors)) : { tensors: new Map() };
  for (const name of [...tensors.keys()].filter((key) => key !== "logits")) {
    it(`draws ${DRAWS} tokens like ${name}`, async () => {
      const gpu = await testGpu();
      const [rows, vocab] = tensors.get("logits").shape;
      const kernel = sample.with({ WORKGROUP_SIZE: 8 });
      await gpu.compile([kernel]);
      const recorder = new Recorder(gpu, "frequencies");
      // One dispatch a row of logits, its share of the draws at once.
      const share = Math.ceil(DRAWS / rows);
      using logits = gpu.bufferFrom("logits", toFloat32(tensors.get("logits")));
      using draws = gpu.buffer("draws", 4 * share);
      using sampled = gpu.buffer("sampled", 4 * share);
      const want = tensors.get(name).data() as Float64Array;
      const settings = settingsOf(name);
      for (let row = 0; row < rows; row++) {
        draws.write(
          Uint32Array.from({ length: 4 * share }, (_, i) => [row, i >> 6, 0, (i >> 2) & 15][i & 3]),
        );
        const dims = { rows: share, logit_rows: rows, vocab, seed_low: 7, seed_high: row, ...settings };
        kernel.encode(recorder, { logits, draws, sampled }, dims);
        recorder.submit();
        const words = await sampled.readWords();
        const counts = new Float64Array(vocab);
        for (let i = 0; i < share; i++) counts[words[4 * i]]++;
        const p = chiSquare(counts, want.subarray(row * vocab, (row + 1) * vocab));
        expect(p, `row ${row}`).toBeGreaterThan(0.001);
      }
    });
  }
});
