/** One batch, cut, ordered and packed in every way: its gradient must not notice. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRecipe } from "../../src/config/parse.ts";
import { freshWeights, smallLlamaConfig } from "../../src/model/init.ts";
import { packTensors, unpackTensors } from "../../src/model/layout.ts";
import { memoryTensors } from "../../src/model/load.ts";
import { Policy } from "../../src/model/policy.ts";
import type { RewardedGroup } from "../../src/rollout.ts";
import { freshOptimizer } from "../../src/trainer/api.ts";
import {
  buildTrainingBatch,
  gatherMicroBatch,
  inputLengths,
  type TrainingBatch,
} from "../../src/trainer/batch.ts";
import { TrainerEngine } from "../../src/trainer/engine.ts";
import { LossPass, lossKernels } from "../../src/trainer/losses/loss_pass.ts";
import type { PolicyLoss } from "../../src/trainer/losses/policy_loss.ts";
import { batchObjective, lossSettings, policyLoss } from "../../src/trainer/losses/registry.ts";
import { packSequences } from "../../src/trainer/packing.ts";
import { largest, testGpu, uniform } from "../gpu_harness.ts";

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
const tensors = freshWeights(config, 8);
const LONGEST = 40;

/** Three groups of three, of many lengths, each token with a noisy log-probability of its own. */
function makeGroups(): RewardedGroup[] {
  const random = uniform(5);
  const pick = (below: number) => Math.floor(random() * below);
  return Array.from({ length: 3 }, (_, groupId) => {
    const problem = { id: `${groupId}`, taskId: "t", prompt: "", answer: null, columns: {} };
    const promptTokens = Uint32Array.from({ length: 1 + pick(12) }, () => pick(config.vocabSize));
    const rollouts = [1, 0.1, 0.7].map((reward, i) => {
      const length = 1 + pick(26);
      return {
        id: groupId * 3 + i,
        groupId,
        problemId: problem.id,
        taskId: "t",
        promptTokens,
        completionTokens: Uint32Array.from({ length }, () => pick(config.vocabSize)),
        generatorLogprobs: Float32Array.from({ length }, () => -3.4 - 1.4 * random()),
        generatorEntropies: new Float32Array(length),
        policyVersions: new Int32Array(length),
        temperature: 1,
        finishReason: "length" as const,
        completion: "",
        reward,
        rewards: {},
        correct: null,
        verdicts: [],
      };
    });
    return { groupId, problem, rollouts };
  });
}

type Gradients = Map<string, { data: Float32Array }>;

/** The largest difference to another gradient of the same batch, relative to each tensor's largest entry. */
function difference(got: Gradients, want: Gradients): number {
  let worst = 0;
  for (const [name, { data }] of want) {
    const other = got.get(name)!.data;
    const scale = largest(data);
    expect(scale, `${name} has a gradient`).toBeGreaterThan(0);
    data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(other[i] - value) / scale);
    });
  }
  return worst;
}

let policy: Policy;
beforeAll(async () => {
  policy = await Policy.create(await testGpu(), { config, capacity: 9 * LONGEST, maxPositions: 64 });
  policy.weights.write(packTensors(policy.decoder.layout, tensors));
});
afterAll(() => policy[Symbol.dispose]());

/** The gradient of a batch whose sequences come in these micro-batches, in this order. */
async function gradientOf(
  batch: TrainingBatch,
  loss: PolicyLoss,
  microBatches: readonly (readonly number[])[],
): Promise<Gradients> {
  const { gpu, recorder } = policy;
  const settings = lossSettings(loss, { klBeta: loss.name === "grpo" ? 0.04 : 0 });
  await gpu.compile(lossKernels(loss, settings));
  using pass = new LossPass(gpu, loss, settings, {
    tokens: 9 * LONGEST,
    sequences: 9,
    minibatchSequences: 9,
  });
  policy.gradients.clear(recorder);
  let firstSequence = 0;
  for (const sequences of microBatches) {
    const micro = gatherMicroBatch(batch, sequences);
    const tokens = micro.targets.length;
    using offsets = gpu.bufferFrom("offsets", micro.completionOffsets);
    using oldLogprob = gpu.bufferFrom("old logprobs", micro.generatorLogprobs);
    // A reference that knows each token by itself, wherever it lies.
    using refLogprob = gpu.bufferFrom(
      "reference",
      Float32Array.from(micro.targets, (id) => -3.5 - id / 60),
    );
    using advantage = gpu.bufferFrom("advantages", micro.advantages);
    using weight = gpu.bufferFrom("token weights", micro.weights);
    policy.load(micro);
    policy.forward(1);
    const { logprobs: logprob, entropy } = policy.head;
    pass.encode(
      recorder,
      { offsets, logprob, oldLogprob, refLogprob, advantage, weight, entropy },
      { sequences: sequences.length, tokens, firstSequence },
    );
    policy.accumulate(pass.grad, 1);
    recorder.submit();
    await gpu.idle();
    firstSequence += sequences.length;
  }
  return unpackTensors(policy.decoder.layout, await policy.gradients.read(gpu));
}

/** Shuffled sequences, cut at random places. */
function randomPartition(count: number, seed: number): number[][] {
  const random = uniform(seed);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order.reduce<number[][]>((parts, i, at) => {
    if (at === 0 || random() < 0.4) parts.push([]);
    parts[parts.length - 1].push(i);
    return parts;
  }, []);
}

// Fails with weights scaled to the tokens of each micro-batch, and with rows that attend across sequences.
describe("the gradient of a batch", () => {
  for (const name of ["magistral", "gspo", "grpo", "cispo"]) {
    it(`is the same under any split, order and packing: ${name}`, async () => {
      const loss = policyLoss(name);
      const batch = buildTrainingBatch(makeGroups(), {
        advantage: loss.advantage,
        weight: loss.weight,
        maxCompletionTokens: 26,
      });
      const all = [...batch.groups.keys()];
      const want = await gradientOf(batch, loss, [all]);
      const lengths = inputLengths(batch);
      const partitions: Record<string, number[][]> = {
        "one by one": all.map((i) => [i]),
        "one by one, backwards": all.map((i) => [all.length - 1 - i]),
        "packed by length": packSequences(lengths, 60).microBatches,
        "packed as they arrive": packSequences(lengths, 60, "arrival").microBatches,
        "at random, seed 1": randomPartition(9, 1),
        "at random, seed 2": randomPartition(9, 2),
        "at random, seed 3": randomPartition(9, 3),
      };
      for (const [how, partition] of Object.entries(partitions)) {
        expect(
          partition.flat().sort((a, b) => a - b),
          how,
        ).toEqual(all);
        expect(difference(await gradientOf(batch, loss, partition), want), how).toBeLessThan(1e-5);
      }
    });
  }

  it("is the same whatever micro-batches the trainer's engine makes, and in whatever order groups came", async () => {
    const groups = makeGroups();
    const turned = [2, 0, 1].map((k) => ({ ...groups[k], rollouts: [...groups[k].rollouts].reverse() }));
    const gradients: Gradients[] = [];
    for (const [arrival, microBatchTokens] of [
      [groups, 512],
      [groups, LONGEST],
      [turned, 90],
    ] as const) {
      const recipe = parseRecipe({
        model: "builtin:none",
        task: { name: "chain_sum" },
        generator: { maxTokens: 26 },
        trainer: { batchSize: 9, groupSize: 3, microBatchTokens },
      });
      using engine = await TrainerEngine.create(await testGpu(), {
        recipe,
        config,
        maxSequence: LONGEST,
      });
      await engine.load({ model: memoryTensors(tensors), state: freshOptimizer() });
      const batch = buildTrainingBatch(arrival, batchObjective(recipe));
      const { packing } = engine.accumulate(batch, batch.generatorLogprobs);
      expect(packing["batch/microbatches_per_step"] > 1).toBe(microBatchTokens < 512);
      gradients.push(
        unpackTensors(policy.decoder.layout, await engine.policy.gradients.read(engine.policy.gpu)),
      );
    }
    for (const other of gradients.slice(1)) expect(difference(other, gradients[0])).toBeLessThan(1e-5);
  });
});
