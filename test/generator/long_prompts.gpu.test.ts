/**
 * Prompts that one prefill cannot take: they go through in several passes, each attending the cache that the passes before
 * filled. What is drawn after them must be what the trainer's forward pass, which takes them whole, gives.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import { LoadedModel } from "../../src/answering.ts";
import type { ModelFiles } from "../../src/data/source.ts";
import type { PromptGroup, SamplingOptions } from "../../src/generator/api.ts";
import { GeneratorEngine } from "../../src/generator/engine.ts";
import { Recorder } from "../../src/gpu/recorder.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { packTensors } from "../../src/model/layout.ts";
import { Policy } from "../../src/model/policy.ts";
import type { Rollout } from "../../src/rollout.ts";
import { logProbability } from "../../src/ui/views/chat/distribution.ts";
import { expectClose, largest, testGpu, uniform } from "../gpu_harness.ts";

const config = smallLlamaConfig({
  vocabSize: 29,
  width: 32,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  mlpWidth: 48,
  maxPositions: 4096,
  eosId: 1,
  padId: 0,
});

/** Matrices large enough for attention to choose: with fresh ones every token would see the mean of all. */
function sharpWeights(seed: number) {
  const tensors = freshWeights(config, seed);
  for (const [name, tensor] of tensors)
    if (!name.includes("norm")) tensors.set(name, { ...tensor, data: tensor.data.map((x) => 8 * x) });
  return tensors;
}

const weights = sharpWeights(5);
const sampling: SamplingOptions = { temperature: 1, topK: 0, topP: 1, minP: 0, maxTokens: 6, seed: 3 };
/** f32 rounding over sums of thousands of terms in another order: a few times what short sequences are held to. */
const TOLERANCE = { atol: 3e-5 };

function promptOf(length: number, seed: number): Uint32Array {
  const next = uniform(seed);
  return Uint32Array.from({ length }, () => 2 + Math.floor(27 * next()));
}

function group(groupId: number, size: number, length: number): PromptGroup {
  return {
    groupId,
    problemId: `${groupId}`,
    taskId: "t",
    promptTokens: promptOf(length, groupId),
    rolloutIds: Uint32Array.from({ length: size }, (_, i) => groupId * 128 + i),
    sampling,
  };
}

async function makeEngine(concurrency: number, maxSequence: number, recomputeCache = false) {
  const options = { config, concurrency, maxSequence, decodeChunk: 2, recomputeCache, eosIds: [] };
  const engine = await GeneratorEngine.create(await testGpu(), options);
  engine.setWeights(packTensors(engine.versioned.layout, weights), 0);
  return engine;
}

async function makePolicy(tensors: ReturnType<typeof sharpWeights>, capacity: number) {
  const policy = await Policy.create(await testGpu(), { config, capacity, maxPositions: 4096 });
  policy.weights.write(packTensors(policy.decoder.layout, tensors));
  return policy;
}

/** Log-probabilities and entropies of `targets` after rows `rows` of one sequence. */
async function forward(policy: Policy, tokens: Uint32Array, rows: Uint32Array, targets: Uint32Array) {
  const positions = tokens.map((_, i) => i);
  policy.load({ tokens, positions, offsets: Uint32Array.of(0, tokens.length), rows, targets });
  policy.forward(1);
  policy.recorder.submit();
  return {
    logprobs: await policy.head.logprobs.readFloats(0, targets.length),
    entropies: await policy.head.entropy.readFloats(0, targets.length),
  };
}

/** What the policy says of a rollout's tokens. */
function replay(policy: Policy, { promptTokens, completionTokens }: Rollout) {
  const tokens = Uint32Array.from([...promptTokens, ...completionTokens.slice(0, -1)]);
  const rows = completionTokens.map((_, t) => promptTokens.length - 1 + t);
  return forward(policy, tokens, rows, completionTokens);
}

async function finish(engine: GeneratorEngine, done: Rollout[] = []): Promise<Rollout[]> {
  while (engine.busy) done.push(...(await engine.advance()));
  return done.sort((a, b) => a.id - b.id);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a prompt longer than a prefill", () => {
  it("leaves the logits of the whole forward pass", async () => {
    const length = 2060;
    const files = { config, tensors: weights } as ModelFiles;
    const wanted = { concurrency: 1, maxSequence: 2160 };
    using loaded = await LoadedModel.open(await testGpu(), { files, eosIds: [] }, wanted);
    using policy = await makePolicy(weights, 2160);
    const tokens = promptOf(length, length);
    const logits = await loaded.nextLogits(tokens);
    const ids = Uint32Array.from({ length: config.vocabSize }, (_, id) => id);
    const all = ids.slice().fill(length - 1);
    const { logprobs } = await forward(policy, tokens, all, ids);
    const got = Float32Array.from(ids, (id) => logProbability(logits, id, 1));
    expectClose("log-probabilities", got, logprobs, TOLERANCE);
    // A prefill that forgot what the passes before the last had stored would differ by far more.
    const { logprobs: other } = await forward(policy, tokens.subarray(1024), all.fill(length - 1025), ids);
    expect(largest(other.map((value, id) => value - logprobs[id]))).toBeGreaterThan(1e-2);
  });

  it("goes with short ones in one admission, each completion from its own cache", async () => {
    using engine = await makeEngine(9, 2160);
    engine.admit([group(1, 2, 9), group(2, 3, 1100), group(3, 1, 40), group(4, 2, 2060), group(5, 4, 3)]);
    const done = await finish(engine);
    expect(done.map(({ groupId }) => groupId)).toEqual([1, 1, 2, 2, 2, 3, 4, 4, 5, 5, 5, 5]);
    using policy = await makePolicy(weights, 2160);
    for (const rollout of done) {
      const { logprobs, entropies } = await replay(policy, rollout);
      expectClose(`logprobs of ${rollout.id}`, rollout.generatorLogprobs, logprobs, TOLERANCE);
      expectClose(`entropies of ${rollout.id}`, rollout.generatorEntropies, entropies, TOLERANCE);
      const first = done.find(({ groupId }) => groupId === rollout.groupId)!;
      expect(rollout.generatorEntropies[0]).toBe(first.generatorEntropies[0]);
    }
    expect(engine.report.prefilledTokens).toBe(9 + 1100 + 40 + 2060 + 3);
  });

  it("is computed anew after a weight swap, with what was decoded since", async () => {
    using engine = await makeEngine(4, 1200, true);
    engine.admit([group(1, 2, 1100), group(2, 2, 30)]);
    const done = await engine.advance();
    done.push(...(await engine.advance()));
    const second = sharpWeights(6);
    engine.setWeights(packTensors(engine.versioned.layout, second), 1);
    await finish(engine, done);
    expect(engine.report.prefilledTokens).toBeGreaterThan(3 * 1100);
    using policy = await makePolicy(second, 1200);
    let fresh = 0;
    for (const rollout of done) {
      const { logprobs } = await replay(policy, rollout);
      const isNew = (_: number, t: number) => rollout.policyVersions[t] === 1;
      const want = logprobs.filter(isNew);
      fresh += want.length;
      expectClose(`logprobs of ${rollout.id}`, rollout.generatorLogprobs.filter(isNew), want, TOLERANCE);
    }
    expect(fresh).toBeGreaterThan(4);
  });

  it.each([900, 1000])("fills 70 caches from %i tokens", async (length) => {
    // 64 × 1024 places in the caches are what one pass stores: 900 tokens fit, 1000 take two passes.
    using engine = await makeEngine(70, 1008);
    engine.admit([group(1, 70, length)]);
    const done = await finish(engine);
    expect(done).toHaveLength(70);
    expect(engine.report.prefilledTokens).toBe(length);
    using policy = await makePolicy(weights, 1008);
    for (const rollout of [0, 1, 33, 63, 64, 69].map((i) => done[i])) {
      const { logprobs } = await replay(policy, rollout);
      expectClose(`logprobs of ${rollout.id}`, rollout.generatorLogprobs, logprobs, TOLERANCE);
    }
    expect(new Set(done.map(({ generatorEntropies }) => generatorEntropies[0])).size).toBe(1);
  });

  it.each([1e6, 2e7])(
    "goes in submits of at most %d operations, unless one dispatch is larger",
    async (limit) => {
      const [length, capacity] = [1100, 1200];
      using engine = await makeEngine(2, capacity);
      engine.gpu.maxFlopsPerSubmit = limit;
      const submits = recordSubmits();
      engine.admit([group(1, 2, length)]);
      await engine.advance();
      const total = submits.flat().reduce((sum, flops) => sum + flops, 0);
      // Layers alone: 2 operations a weight and token.
      const { width: C, mlpWidth: F, heads: H, kvHeads: K, headDim: D, layers } = config;
      expect(total).toBeGreaterThan(2 * length * layers * (C * D * (2 * H + 2 * K) + 3 * C * F));
      // Work is cut between rows, 64 at least: so many attending the whole cache are the largest piece.
      const largestPiece = Math.max(limit, 64 * 2 * H * D * capacity);
      expect(submits.length).toBeGreaterThanOrEqual(total / largestPiece);
      for (const flops of submits) {
        expect(Math.max(...flops)).toBeLessThanOrEqual(largestPiece);
        if (flops.length > 1) expect(flops.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(limit);
      }
      // None but the last of a pass (two passes, and the decode steps) is sent before the next dispatch would be too much.
      const early = submits.filter((flops, i) => {
        const [next] = submits[i + 1] ?? [Number.POSITIVE_INFINITY];
        return flops.reduce((a, b) => a + b, 0) + next <= limit;
      });
      expect(early.length).toBeLessThanOrEqual(3);
    },
  );
});

/** The operations of every dispatch from now on, by submit. */
function recordSubmits(): number[][] {
  const submits: number[][] = [];
  let open: number[] = [];
  const { dispatch, submit } = Recorder.prototype;
  vi.spyOn(Recorder.prototype, "dispatch").mockImplementation(function (this: Recorder, ...args) {
    dispatch.apply(this, args);
    open.push(args[4]);
  });
  vi.spyOn(Recorder.prototype, "submit").mockImplementation(function (this: Recorder) {
    submit.call(this);
    if (open.length > 0) submits.push(open);
    open = [];
  });
  return submits;
}
