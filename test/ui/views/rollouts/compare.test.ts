import { describe, expect, test } from "vitest";
import type { EvaluationRow } from "../../../../src/ui/state/records.ts";
import {
  encountersOf,
  evaluationsToCompare,
  otherEncounter,
  pairSamples,
} from "../../../../src/ui/views/rollouts/compare.ts";
import { RolloutIndex } from "../../../../src/ui/views/rollouts/group_index.ts";
import { row } from "./rows.ts";

const evaluation = (step: number, when: EvaluationRow["when"], prompts: string[]): EvaluationRow => ({
  step,
  when,
  metrics: {},
  samples: prompts.map((prompt, i) => ({ prompt, completion: `${when} ${i}`, reward: i, correct: null })),
});

describe("evaluations", () => {
  test("the one before training stands beside any later one", () => {
    const rows = [
      evaluation(0, "before", ["a"]),
      evaluation(5, "during", ["a"]),
      evaluation(7, "during", []),
      evaluation(9, "after", ["a"]),
    ];
    const { before, later } = evaluationsToCompare(rows);
    expect(before?.step).toBe(0);
    expect(later.map(({ step }) => step)).toEqual([5, 9]);
    expect(evaluationsToCompare([evaluation(9, "after", ["a"])]).before).toBeNull();
  });

  test("samples pair by prompt, not by place", () => {
    const pairs = pairSamples(evaluation(0, "before", ["a", "b"]), evaluation(9, "after", ["b", "a"]));
    expect(pairs.map(({ prompt, after }) => [prompt, after?.completion])).toEqual([
      ["a", "after 1"],
      ["b", "after 0"],
    ]);
  });

  test("a prompt asked twice pairs in turn; one not asked again has no partner", () => {
    const pairs = pairSamples(evaluation(0, "before", ["a", "a", "c"]), evaluation(9, "after", ["a", "a"]));
    expect(pairs.map(({ after }) => after?.completion ?? null)).toEqual(["after 0", "after 1", null]);
    expect(pairSamples(evaluation(0, "before", ["a"]), null)[0].after).toBeNull();
  });
});

describe("the same problem in one run", () => {
  const rows = [3, 1, 2].flatMap((step, g) =>
    [0, 1].map((k) =>
      row({
        step,
        group: g,
        id: g * 2 + k,
        problem: g === 2 ? "other" : "same",
        reward: k,
        correct: k ? 1 : null,
      }),
    ),
  );
  const index = new RolloutIndex();
  index.update(rows);

  test("is found at every step, in order, by the same place in its group", () => {
    const { encounters, current } = encountersOf(index, rows[1]);
    expect(encounters.map(({ row: found }) => [found.step, found.id])).toEqual([
      [1, 3],
      [3, 1],
    ]);
    expect(current).toBe(1);
    expect(encounters[0]).toMatchObject({ mean: 0.5, right: 1, judged: 1 });
  });

  test("stands beside its first time; the first beside the latest", () => {
    expect(otherEncounter(3, 2)).toBe(0);
    expect(otherEncounter(3, 0)).toBe(2);
    expect(otherEncounter(1, 0)).toBeNull();
  });
});
