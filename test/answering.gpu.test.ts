/** A loaded model asked again and again: next-token logits are those that its completions were drawn from. */
import { describe, expect, it } from "vitest";
import { LoadedModel, streamCompletions } from "../src/answering.ts";
import type { ModelFiles } from "../src/data/source.ts";
import type { SamplingOptions } from "../src/generator/api.ts";
import { freshWeights, smallLlamaConfig } from "../src/model/init.ts";
import { drawToken, logProbability, topIds } from "../src/ui/views/chat/distribution.ts";
import { testGpu } from "./gpu_harness.ts";

const config = smallLlamaConfig({
  vocabSize: 32,
  width: 48,
  layers: 2,
  heads: 6,
  kvHeads: 2,
  mlpWidth: 100,
  maxPositions: 64,
  eosId: 1,
  padId: 0,
});
const prompt = Uint32Array.from([5, 9, 2, 17, 28, 11]);
const sampling: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 14, seed: 3 };

function model(seed: number) {
  const files = { config, tensors: freshWeights(config, seed) } as ModelFiles;
  // No token ends a completion, so that every one has its full length.
  return { files, eosIds: [] as number[] };
}

async function loadedModel(concurrency = 1) {
  return LoadedModel.open(await testGpu(), model(5), { concurrency, maxSequence: 40 });
}

async function complete(loaded: LoadedModel, settings: Partial<SamplingOptions> = {}) {
  const [one] = await loaded.stream({ prompt, samples: 1, sampling: { ...sampling, ...settings } });
  return one;
}

describe("LoadedModel", () => {
  it.each([1, 0.5, 2.5])(
    "gives the logits its completions were drawn from, at temperature %f",
    async (temperature) => {
      using loaded = await loadedModel();
      const { tokens, logprobs } = await complete(loaded, { temperature });
      expect(tokens).toHaveLength(sampling.maxTokens);
      for (let k = 0; k < tokens.length; k++) {
        const logits = await loaded.nextLogits(Uint32Array.from([...prompt, ...tokens.slice(0, k)]));
        expect(logits).toHaveLength(config.vocabSize);
        // Prefill and decode add up in different orders: f32 rounding over two layers, as in the engine's own test.
        expect(logProbability(logits, tokens[k], temperature)).toBeCloseTo(logprobs[k], 4);
        expect(drawToken(logits, temperature, sampling.seed, k)).toBe(tokens[k]);
      }
    },
  );

  it("has the greedy completion's tokens as its largest logits", async () => {
    using loaded = await loadedModel();
    const { tokens } = await complete(loaded, { temperature: 0 });
    for (let k = 0; k < tokens.length; k++) {
      const logits = await loaded.nextLogits(Uint32Array.from([...prompt, ...tokens.slice(0, k)]));
      expect(topIds(logits, 1)).toEqual([tokens[k]]);
    }
  });

  it("answers the same after other questions as a model loaded for one question alone", async () => {
    using loaded = await loadedModel(2);
    await complete(loaded, { seed: 8, maxTokens: 30 });
    await loaded.nextLogits(Uint32Array.from([3, 4]));
    const told: number[][] = [[], []];
    const again = await loaded.stream({
      prompt,
      samples: 2,
      sampling,
      onTokens: (sample, tokens, _finish, logprobs) => {
        expect(logprobs).toHaveLength(tokens.length);
        told[sample].push(...tokens);
      },
    });
    const alone = await streamCompletions(await testGpu(), model(5), { prompt, samples: 2, sampling });
    expect(again).toEqual(alone);
    expect(told).toEqual(alone.map(({ tokens }) => tokens));
  });

  it("holds matrices and cache in f16 where it is asked to", async () => {
    const wanted = { concurrency: 1, maxSequence: 40 };
    const gpu = await testGpu();
    const before = gpu.allocatedBytes;
    using exact = await LoadedModel.open(gpu, model(5), wanted);
    const exactBytes = gpu.allocatedBytes - before;
    using halves = await LoadedModel.open(gpu, { ...model(5), precision: "f16" }, wanted);
    expect(gpu.allocatedBytes - before - exactBytes).toBeLessThan(exactBytes);
    const [want, got] = [await exact.nextLogits(prompt), await halves.nextLogits(prompt)];
    expect(got).not.toEqual(want);
    // Each weight and each cached value is off by 2⁻¹¹ of itself at most; a few layers of them.
    const scale = Math.max(...want.map(Math.abs));
    for (const [i, value] of got.entries()) expect(Math.abs(value - want[i])).toBeLessThan(2 ** -7 * scale);
  });

  it("refuses what does not fit its cache", async () => {
    using loaded = await loadedModel();
    await expect(complete(loaded, { maxTokens: 35 })).rejects.toThrow("1 to 40 in all are needed");
    await expect(loaded.nextLogits(new Uint32Array(0))).rejects.toThrow(RangeError);
    await expect(loaded.nextLogits(new Uint32Array(41))).rejects.toThrow(RangeError);
  });
});
