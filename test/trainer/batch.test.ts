import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import {
  type BatchObjective,
  batchTransferables,
  buildTrainingBatch,
  completionLengths,
  gatherMicroBatch,
  inputLengths,
  splitMinibatches,
} from "../../src/trainer/batch.ts";
import { packSequences } from "../../src/trainer/packing.ts";
import { makeGroup } from "./rollouts.ts";

const objective: BatchObjective = { advantage: "magistral", weight: "group_mean", maxCompletionTokens: 8 };
const groups = () => [
  makeGroup(5, [
    { reward: 1, prompt: 2, length: 3 },
    { reward: 0, prompt: 2, length: 1 },
  ]),
  makeGroup(9, [
    { reward: 0.5, length: 2 },
    { reward: null, length: 4 },
  ]),
  makeGroup(11, [
    { reward: 0.2, length: 2 },
    { reward: 0.1, length: 2 },
  ]),
];

describe("buildTrainingBatch()", () => {
  it("lays prompts, completions and records side by side", () => {
    const batch = buildTrainingBatch(groups(), objective);
    expect([...batch.offsets]).toEqual([0, 5, 8, 13, 20, 25, 30]);
    expect([...batch.completionOffsets]).toEqual([0, 3, 4, 6, 10, 12, 14]);
    expect([...batch.tokens.slice(0, 8)]).toEqual([5000, 5001, 5100, 5101, 5102, 5000, 5001, 5200]);
    expect([...batch.groups]).toEqual([0, 0, 1, 1, 2, 2]);
    expect([...batch.rolloutIds]).toEqual([500, 501, 900, 901, 1100, 1101]);
    expect([...batch.generatorLogprobs.slice(0, 4)]).toEqual([-1, -1.0625, -1.125, -2]);
    expect([...completionLengths(batch)]).toEqual([3, 1, 2, 4, 2, 2]);
    expect([...inputLengths(batch)]).toEqual([4, 2, 4, 6, 4, 4]);
  });

  it("fixes advantages and token weights", () => {
    const batch = buildTrainingBatch(groups(), objective);
    // Centred: ±.5, 0 (its partner is unscored), ±.05; the unscored one takes part in nothing.
    const deviation = Math.sqrt((0.25 + 0.25 + 0 + 0.0025 + 0.0025) / 5);
    [0.5, -0.5, 0, 0, 0.05, -0.05].forEach((centred, i) => {
      expect(batch.advantages[i]).toBeCloseTo(centred / deviation, 6);
    });
    [4, 4, 6, 6, 4, 4].forEach((tokens, i) => {
      expect(batch.tokenWeights[i]).toBeCloseTo(1 / (3 * tokens), 7);
    });
    expect(batch.rewards[3]).toBeNaN();
  });

  it("can be transferred whole", () => {
    const batch = buildTrainingBatch(groups(), objective);
    const wanted = [...batch.tokens];
    const moved = structuredClone(batch, { transfer: batchTransferables(batch) });
    expect([...moved.tokens]).toEqual(wanted);
    expect(batch.tokens.length).toBe(0);
    expect(batch.rewards.length).toBe(0);
  });

  it("refuses rollouts that cannot be trained on", () => {
    const broken = (change: (rollout: ReturnType<typeof makeGroup>["rollouts"][number]) => void) => {
      const group = makeGroup(1, [1, 0]);
      change(group.rollouts[1]);
      return () => buildTrainingBatch([group], objective);
    };
    expect(broken((r) => (r.completionTokens = new Uint32Array(0)))).toThrow(DataError);
    expect(broken((r) => (r.temperature = 0))).toThrow(/temperature 0/);
    expect(broken((r) => (r.policyVersions = new Int32Array(1)))).toThrow(/rollout 101/);
    expect(broken((r) => (r.generatorLogprobs[2] = Number.NaN))).toThrow(/token 2/);
    expect(broken((r) => (r.generatorLogprobs[0] = Number.NEGATIVE_INFINITY))).toThrow(/token 0/);
  });
});

describe("splitMinibatches()", () => {
  it("cuts by whole groups and normalises each part by itself", () => {
    const batch = buildTrainingBatch(groups(), objective);
    const parts = splitMinibatches(batch, 2);
    expect(parts.map((part) => part.groups.length)).toEqual([2, 4]);
    const alone = buildTrainingBatch(groups().slice(1), objective);
    expect(parts[1]).toEqual(alone);
    expect(parts[1].advantages[2]).not.toBeCloseTo(batch.advantages[4], 2);
    expect(splitMinibatches(batch, 1)[0]).toBe(batch);
  });

  it("refuses more minibatches than groups", () => {
    expect(() => splitMinibatches(buildTrainingBatch(groups(), objective), 4)).toThrow(/3 groups into 4/);
  });
});

describe("gatherMicroBatch()", () => {
  it("points every completion token at the row that predicts it", () => {
    const batch = buildTrainingBatch(groups(), objective);
    const micro = gatherMicroBatch(batch, [3, 0]);
    expect([...micro.offsets]).toEqual([0, 6, 10]);
    expect([...micro.tokens]).toEqual([9000, 9001, 9002, 9200, 9201, 9202, 5000, 5001, 5100, 5101]);
    expect([...micro.positions]).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3]);
    expect([...micro.targets]).toEqual([9200, 9201, 9202, 9203, 5100, 5101, 5102]);
    expect([...micro.rows]).toEqual([2, 3, 4, 5, 7, 8, 9]);
    expect([...micro.completionOffsets]).toEqual([0, 4, 7]);
    expect([...micro.generatorLogprobs.slice(4)]).toEqual([-1, -1.0625, -1.125]);
    expect(micro.weights[0]).toBe(batch.tokenWeights[3]);
    expect(micro.advantages[6]).toBe(batch.advantages[0]);
  });

  it("has one temperature, that of its sequences", () => {
    const batch = buildTrainingBatch(
      [
        makeGroup(1, [
          { reward: 1, temperature: 0.7 },
          { reward: 0, temperature: 0.7 },
          { reward: 0, temperature: 1 },
        ]),
      ],
      objective,
    );
    expect(gatherMicroBatch(batch, [1, 0]).temperature).toBe(0.7);
    expect(gatherMicroBatch(batch, [2]).temperature).toBe(1);
    expect(() => gatherMicroBatch(batch, [0, 2])).toThrow(/sequences 0, 2.*one temperature/);
  });

  it("covers every completion token once under any packing", () => {
    const batch = buildTrainingBatch(groups(), objective);
    for (const capacity of [6, 10, 64]) {
      const { microBatches } = packSequences(inputLengths(batch), capacity);
      const gathered = microBatches.map((indices) => gatherMicroBatch(batch, indices));
      const targets = gathered.flatMap((micro) => [...micro.targets]).sort((a, b) => a - b);
      const wanted = groups().flatMap((group) => group.rollouts.flatMap((r) => [...r.completionTokens]));
      expect(targets).toEqual(wanted.sort((a, b) => a - b));
      const weight = gathered.reduce((sum, micro) => sum + micro.weights.reduce((s, w) => s + w, 0), 0);
      expect(weight).toBeCloseTo(1, 6);
    }
  });
});
