import { describe, expect, it } from "vitest";
import { rolloutRows } from "../src/training_records.ts";
import { makeGroup } from "./trainer/rollouts.ts";

describe("rolloutRows()", () => {
  const groups = [
    makeGroup(3, [
      { reward: 1, length: 2 },
      { reward: 0, length: 3 },
    ]),
    makeGroup(5, [{ reward: null, length: 1 }]),
  ];
  const all = groups.flatMap((group) => group.rollouts);
  /** The trainer's probabilities are the generator's times 1, 2, 3, … over the batch. */
  const trainerLogprobs = Float32Array.from(
    all.flatMap((rollout) => [...rollout.generatorLogprobs]),
    (logprob, m) => logprob + Math.log(m + 1),
  );
  const advantages = Float32Array.of(0.123456, -0.5, 0);
  const rows = rolloutRows(groups, { step: 7, trainerLogprobs, advantages }, (id) => `<${id}>`);

  it("gives every token its own ratio and entropy, in the order of the batch", () => {
    expect(rows.map(({ ratios }) => ratios)).toEqual([[1, 2], [3, 4, 5], [6]]);
    expect(rows.map(({ entropies }) => entropies)).toEqual([[0.5, 0.5625], [1, 1.063, 1.125], [0.5]]);
    expect(rows.map(({ logprobs }) => logprobs.length)).toEqual([2, 3, 1]);
  });

  it("names the group, the step and the advantage of each completion", () => {
    expect(rows.map(({ group, id, step }) => [group, id, step])).toEqual([
      [3, 300, 7],
      [3, 301, 7],
      [5, 500, 7],
    ]);
    expect(rows.map(({ advantage }) => advantage)).toEqual([0.1235, -0.5, 0]);
    expect(rows[0].token_texts).toEqual(["<3100>", "<3101>"]);
  });
});
