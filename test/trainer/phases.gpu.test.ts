/** What an engine notes of its steps, and that noting it changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import { GpuLostError } from "../../src/errors.ts";
import { type Gpu, openGpu } from "../../src/gpu/device.ts";
import { traceClock } from "../../src/metrics/trace.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { memoryTensors } from "../../src/model/load.ts";
import { freshOptimizer } from "../../src/trainer/api.ts";
import { buildTrainingBatch, type TrainingBatch } from "../../src/trainer/batch.ts";
import { TrainerEngine } from "../../src/trainer/engine.ts";
import { batchObjective } from "../../src/trainer/losses/registry.ts";
import { makeGroup } from "./rollouts.ts";

const config = smallLlamaConfig({
  vocabSize: 61,
  width: 48,
  layers: 2,
  heads: 6,
  kvHeads: 2,
  mlpWidth: 100,
  maxPositions: 64,
  eosId: 1,
  padId: 0,
});
const recipe = parseRecipe({
  model: "builtin:none",
  task: { name: "chain_sum" },
  trainer: { loss: "grpo", klBeta: 0.02, batchSize: 16, groupSize: 4, microBatchTokens: 96, minibatches: 2 },
});

/** Four groups of four, completions of 9 to 12 tokens, the same each time. */
function batchOf(): TrainingBatch {
  const within = (tokens: Uint32Array) => tokens.map((token) => 2 + (token % 50)) as Uint32Array<ArrayBuffer>;
  const groups = [0, 1, 2, 3].map((id) =>
    makeGroup(
      id,
      [0, 1, 2, 3].map((i) => ({ reward: (i + id) % 3, length: 9 + i })),
    ),
  );
  for (const { rollouts } of groups)
    for (const rollout of rollouts) {
      rollout.promptTokens = within(rollout.promptTokens);
      rollout.completionTokens = within(rollout.completionTokens);
    }
  return buildTrainingBatch(groups, batchObjective(recipe));
}

async function openEngine(gpu: Gpu): Promise<TrainerEngine> {
  const engine = await TrainerEngine.create(gpu, { recipe, config, maxSequence: 32 });
  await engine.load({ model: memoryTensors(freshWeights(config, 4)), state: freshOptimizer() });
  return engine;
}

const bits = (shards: readonly Float32Array[]) =>
  shards.map((shard) => [...new Uint32Array(shard.buffer, shard.byteOffset, shard.length)]);
const offered = (await navigator.gpu.requestAdapter())?.features.has("timestamp-query") ?? false;

describe("an engine's step", () => {
  let gpu: Gpu;
  beforeAll(async () => {
    gpu = await openGpu({ label: "phases" });
  });
  afterAll(() => gpu.destroy());

  it.skipIf(!offered)(
    "tells forward and backward of every micro-batch and the optimiser, side by side",
    async () => {
      using engine = await openEngine(gpu);
      await engine.step(batchOf());
      engine.spans.take();
      const before = traceClock();
      await engine.step(batchOf());
      const after = traceClock();
      const spans = engine.spans.take();
      // Two minibatches of 8 sequences of 11 to 14 tokens, at most 96 tokens a micro-batch.
      const micro = ["forward", "backward"];
      const one = ["pack", ...micro, ...micro, "optimiser", "read back"];
      expect(spans.map(({ name }) => name)).toEqual([...one, ...one]);
      expect(spans[1].details).toEqual({ microBatch: 1, tokens: expect.any(Number) });
      expect(spans[4].details).toMatchObject({ microBatch: 2 });
      let reached = before;
      for (const [k, { name, start, end }] of spans.entries()) {
        // Packing of the second minibatch begins when the first one's figures were looked at.
        if (name === "pack") expect(start).toBeGreaterThanOrEqual(reached);
        else expect(start, `${k} ${name}`).toBe(reached);
        expect(end).toBeGreaterThanOrEqual(start);
        reached = end;
      }
      expect(reached).toBeLessThanOrEqual(after);
      for (const { name, start, end } of spans)
        if (/ward$|^optimiser$/.test(name)) expect(end - start, name).toBeGreaterThan(0);
    },
  );

  it.skipIf(!offered)("trains to the same bits with and without timestamps", async () => {
    const outcome = async (timed: boolean) => {
      using engine = await openEngine(gpu);
      if (!timed) engine.policy.recorder.phases = null;
      const metrics = [];
      for (let k = 0; k < 3; k++) metrics.push((await engine.step(batchOf())).metrics);
      const { weights, firstMoments, secondMoments } = await engine.state();
      const names = new Set(engine.spans.take().map(({ name }) => name));
      return { names, metrics, state: [weights, firstMoments, secondMoments].map(bits) };
    };
    const [timed, plain] = [await outcome(true), await outcome(false)];
    expect(timed.names).toContain("optimiser");
    expect(plain.names).toEqual(new Set(["pack", "forward, backward, optimiser"]));
    expect(timed.metrics).toEqual(plain.metrics);
    expect(timed.state).toEqual(plain.state);
  });

  it("is one slice where the device has no timestamps", async () => {
    const plain = await openGpu({ label: "no timestamps", baseOnly: true });
    try {
      using engine = await openEngine(plain);
      await engine.step(batchOf());
      const one = ["pack", "forward, backward, optimiser"];
      expect(engine.spans.take().map(({ name }) => name)).toEqual([...one, ...one]);
    } finally {
      plain.destroy();
    }
  });

  it("leaves no half of a step behind when the device is lost under way", async () => {
    const doomed = await openGpu({ label: "doomed" });
    using engine = await openEngine(doomed);
    await engine.step(batchOf());
    engine.spans.take();
    const step = engine.step(batchOf());
    doomed.destroy();
    await expect(step).rejects.toThrow(GpuLostError);
    expect(engine.spans.take().map(({ name }) => name)).toEqual(["pack"]);
  });
});
