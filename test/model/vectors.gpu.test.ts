/** The decoder against the float64 vectors: log-probabilities, entropies and every parameter's gradient. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadModelFiles, openModelFolder } from "../../src/data/source.ts";
import { packTensors, unpackTensors } from "../../src/model/layout.ts";
import { Policy } from "../../src/model/policy.ts";
import { parseSafetensors, toFloat32, toInt32 } from "../../src/model/safetensors.ts";
import { expectClose, largest, testGpu } from "../gpu_harness.ts";

const root = new URL("../../../shared/reference/vectors/models/", import.meta.url);
const names = existsSync(root) ? readdirSync(root) : [];

/** Six packed sequences without their last tokens: every position predicts the next token. */
function packRows(ids: Int32Array, lengths: Int32Array) {
  const packed = {
    tokens: [] as number[],
    positions: [] as number[],
    offsets: [0],
    rows: [] as number[],
    targets: [] as number[],
  };
  let at = 0;
  for (const length of lengths) {
    for (let t = 0; t + 1 < length; t++) {
      packed.rows.push(packed.tokens.length);
      packed.tokens.push(ids[at + t]);
      packed.positions.push(t);
      packed.targets.push(ids[at + t + 1]);
    }
    packed.offsets.push(packed.tokens.length);
    at += length;
  }
  return {
    tokens: Uint32Array.from(packed.tokens),
    positions: Uint32Array.from(packed.positions),
    offsets: Uint32Array.from(packed.offsets),
    rows: Uint32Array.from(packed.rows),
    targets: Uint32Array.from(packed.targets),
  };
}

describe.skipIf(names.length === 0)("Policy against the float64 vectors", () => {
  for (const name of names) {
    it(`${name}: log-probabilities, entropies and the gradient of the mean negative log-likelihood`, async () => {
      const folder = new URL(`${name}/`, root);
      const gpu = await testGpu();
      const { config, tensors } = await loadModelFiles(
        await openModelFolder(decodeURIComponent(folder.pathname)),
      );
      const vectors = parseSafetensors(readFileSync(new URL("forward.safetensors", folder))).tensors;
      const batch = packRows(toInt32(vectors.get("ids")!), toInt32(vectors.get("lengths")!));
      const count = batch.tokens.length;
      using policy = await Policy.create(gpu, { config, capacity: count + 3, maxPositions: 64 });
      policy.weights.write(packTensors(policy.decoder.layout, tensors));
      using gradient = gpu.bufferFrom("gradient", new Float32Array(count).fill(-1 / count));
      policy.load(batch);
      policy.forward(1);
      policy.accumulate(gradient, 1);
      policy.recorder.submit();
      // Loss-like numbers through a few f32 layers: 1e-5 of their size and absolute.
      expectClose(
        "logprobs",
        await policy.head.logprobs.readFloats(0, count),
        toFloat32(vectors.get("token_logprobs")!),
        { rtol: 1e-5, atol: 1e-5 },
      );
      expectClose(
        "entropy",
        await policy.head.entropy.readFloats(0, count),
        toFloat32(vectors.get("entropy")!),
        { rtol: 1e-5, atol: 1e-5 },
      );
      const wanted = parseSafetensors(readFileSync(new URL("grad-sft.safetensors", folder))).tensors;
      const got = unpackTensors(policy.decoder.layout, await policy.gradients.read(gpu));
      for (const [tensor, { data, shape }] of got) {
        const want = toFloat32(wanted.get(tensor)!);
        expectClose(tensor, data, want, { atol: 1e-4 * largest(want), shape });
      }
      expect(got.size).toBe(wanted.size);
    });
  }
});
