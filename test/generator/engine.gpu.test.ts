/** The generator against the trainer's forward pass: same weights, same tokens, same log-probabilities. */
import { describe, expect, it } from "vitest";
import type { PromptGroup, SamplingOptions } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { packTensors } from "../../src/model/layout.ts";
import { Policy } from "../../src/model/policy.ts";
import type { Rollout } from "../../src/rollout.ts";
import { testGpu } from "../gpu_harness.ts";

const config = smallLlamaConfig({
  vocabSize: 29,
  width: 48,
  layers: 2,
  heads: 6,
  kvHeads: 2,
  mlpWidth: 100,
  maxPositions: 64,
  eosId: 1,
  padId: 0,
});
const weights = freshWeights(config, 5);
const sampling: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 20, seed: 3 };

async function makeEngine(options: {
  concurrency: number;
  decodeChunk?: number;
  recomputeCache?: boolean;
  eosIds?: number[];
}) {
  const gpu = await testGpu();
  const engine = await GeneratorEngine.create(gpu, {
    config,
    maxSequence: 40,
    decodeChunk: 4,
    recomputeCache: false,
    eosIds: [1],
    ...options,
  });
  engine.setWeights(packTensors(engine.versioned.layout, weights), 0);
  return engine;
}

function group(groupId: number, size: number, promptLength: number, settings = sampling): PromptGroup {
  const promptTokens = Uint32Array.from({ length: promptLength }, (_, i) => 2 + ((groupId * 7 + i * 5) % 27));
  return {
    groupId,
    problemId: `${groupId}`,
    taskId: "t",
    promptTokens,
    rolloutIds: Uint32Array.from({ length: size }, (_, i) => groupId * 16 + i),
    sampling: settings,
  };
}

async function decodeAll(engine: GeneratorEngine, groups: PromptGroup[]): Promise<Map<number, Rollout>> {
  engine.admit(groups);
  const done = new Map<number, Rollout>();
  while (engine.busy) for (const rollout of await engine.advance()) done.set(rollout.id, rollout);
  return done;
}

describe("GeneratorEngine", () => {
  it("gives the log-probabilities and entropies that the trainer's forward pass gives", async () => {
    using engine = await makeEngine({ concurrency: 11 });
    const done = [...(await decodeAll(engine, [group(1, 4, 9), group(2, 3, 1), group(3, 8, 13)])).values()];
    expect(done).toHaveLength(15);
    using policy = await Policy.create(await testGpu(), { config, capacity: 600, maxPositions: 64 });
    policy.weights.write(packTensors(policy.decoder.layout, weights));
    for (const rollout of done) {
      const tokens = Uint32Array.from([...rollout.promptTokens, ...rollout.completionTokens.slice(0, -1)]);
      const first = rollout.promptTokens.length - 1;
      policy.load({
        tokens,
        positions: tokens.map((_, i) => i),
        offsets: Uint32Array.of(0, tokens.length),
        rows: rollout.completionTokens.map((_, t) => first + t),
        targets: rollout.completionTokens,
      });
      policy.forward(1);
      policy.recorder.submit();
      const want = await policy.head.logprobs.readFloats(0, rollout.completionTokens.length);
      rollout.generatorLogprobs.forEach((logprob, t) => {
        expect(Math.abs(logprob - want[t])).toBeLessThan(1e-5);
      });
      const entropies = await policy.head.entropy.readFloats(0, rollout.completionTokens.length);
      expect(rollout.generatorEntropies).toHaveLength(rollout.completionTokens.length);
      rollout.generatorEntropies.forEach((entropy, t) => {
        expect(Math.abs(entropy - entropies[t])).toBeLessThan(1e-5);
      });
      expect(rollout.finishReason).toBe(rollout.completionTokens.at(-1) === 1 ? "stop" : "length");
      expect([...rollout.policyVersions].every((version) => version === 0)).toBe(true);
    }
  });

  it("replays a rollout alone, bit for bit, whatever else was in the batch", async () => {
    using crowded = await makeEngine({ concurrency: 9, decodeChunk: 3 });
    const groups = [group(1, 4, 9), group(2, 3, 2), group(3, 8, 13), group(4, 2, 5), group(5, 5, 20)];
    const together = await decodeAll(crowded, groups);
    using alone = await makeEngine({ concurrency: 1, decodeChunk: 7 });
    for (const id of [16, 34, 55, 65, 84]) {
      const source = groups.find(({ rolloutIds }) => rolloutIds.includes(id))!;
      const replay = (await decodeAll(alone, [{ ...source, rolloutIds: Uint32Array.of(id) }])).get(id)!;
      expect(replay.completionTokens).toEqual(together.get(id)!.completionTokens);
      expect(replay.generatorLogprobs).toEqual(together.get(id)!.generatorLogprobs);
    }
  });

  it("takes new weights between two chunks without dropping a sequence", async () => {
    using engine = await makeEngine({ concurrency: 6, decodeChunk: 2 });
    engine.admit([group(1, 6, 5)]);
    const done = await engine.advance();
    engine.setWeights(packTensors(engine.versioned.layout, freshWeights(config, 6)), 1);
    while (engine.busy) done.push(...(await engine.advance()));
    expect(done).toHaveLength(6);
    const swapped = done.filter(({ policyVersions }) => policyVersions.includes(1));
    expect(swapped.length).toBeGreaterThan(0);
    for (const { policyVersions } of swapped) expect([...policyVersions.slice(0, 3)]).toEqual([0, 0, 0]);
    expect(engine.report.weightSwaps).toBe(1);
  });

  it("recomputes the cache of running sequences where asked to", async () => {
    const second = freshWeights(config, 6);
    const run = async (recomputeCache: boolean) => {
      using engine = await makeEngine({ concurrency: 3, decodeChunk: 2, recomputeCache });
      engine.admit([group(1, 3, 5)]);
      const done = await engine.advance();
      engine.setWeights(packTensors(engine.versioned.layout, second), 1);
      while (engine.busy) done.push(...(await engine.advance()));
      return { done, prefilled: engine.report.prefilledTokens };
    };
    const [kept, recomputed] = [await run(false), await run(true)];
    expect(recomputed.prefilled).toBeGreaterThan(kept.prefilled);
    // With a recomputed cache every later token is exactly on-policy for the new weights.
    using policy = await Policy.create(await testGpu(), { config, capacity: 600, maxPositions: 64 });
    policy.weights.write(packTensors(policy.decoder.layout, second));
    for (const rollout of recomputed.done) {
      const tokens = Uint32Array.from([...rollout.promptTokens, ...rollout.completionTokens.slice(0, -1)]);
      policy.load({
        tokens,
        positions: tokens.map((_, i) => i),
        offsets: Uint32Array.of(0, tokens.length),
        rows: rollout.completionTokens.map((_, t) => 4 + t),
        targets: rollout.completionTokens,
      });
      policy.forward(1);
      policy.recorder.submit();
      const want = await policy.head.logprobs.readFloats(0, rollout.completionTokens.length);
      rollout.policyVersions.forEach((version, t) => {
        if (version === 1) expect(Math.abs(rollout.generatorLogprobs[t] - want[t])).toBeLessThan(1e-5);
      });
    }
  });

  it("takes the most probable token at temperature 0, and allocates nothing after the first chunk", async () => {
    using engine = await makeEngine({ concurrency: 8 });
    const greedy = { ...sampling, temperature: 0 };
    await decodeAll(engine, [group(1, 4, 9, greedy), group(2, 4, 9, greedy)]);
    const { allocations } = engine.gpu;
    const done = [...(await decodeAll(engine, [group(3, 4, 9, greedy), group(4, 4, 7, greedy)])).values()];
    expect(engine.gpu.allocations).toBe(allocations);
    expect(done[0].completionTokens).toEqual(done[1].completionTokens);
    expect([...done[0].generatorLogprobs].every((logprob) => logprob === 0)).toBe(true);
  });

  // As the instruct models of Llama 3 (three) and Qwen (two) have them, and as many as can be watched for.
  it.each([[[11, 18, 19]], [[25, 23]], [[3, 5, 7, 9, 11, 13, 15, 17]]])(
    "ends at each of %j",
    async (eosIds) => {
      using engine = await makeEngine({ concurrency: 24, eosIds });
      const groups = [1, 2, 3, 4, 5, 6].map((id) => group(id, 16, 4));
      const done = [...(await decodeAll(engine, groups)).values()];
      const ended = new Set<number>();
      for (const { completionTokens, finishReason } of done) {
        const end = completionTokens.findIndex((token) => eosIds.includes(token));
        expect(finishReason).toBe(end < 0 ? "length" : "stop");
        expect(completionTokens).toHaveLength(end < 0 ? sampling.maxTokens : end + 1);
        if (end >= 0) ended.add(completionTokens[end]);
      }
      expect([...ended].sort((a, b) => a - b)).toEqual([...eosIds].sort((a, b) => a - b));
    },
  );

  it("refuses more end tokens than can be watched for", async () => {
    using engine = await makeEngine({ concurrency: 2, eosIds: [3, 5, 7, 9, 11, 13, 15, 17, 19] });
    engine.admit([group(1, 1, 4)]);
    await expect(engine.advance()).rejects.toThrow(/Cannot watch for 9 end tokens: at most 8 fit/);
  });

  it("refuses a prompt that does not fit", async () => {
    using engine = await makeEngine({ concurrency: 2 });
    expect(() => engine.admit([group(1, 1, 30)])).toThrow(/Cannot decode group 1: 30 prompt and up to 20/);
  });
});
