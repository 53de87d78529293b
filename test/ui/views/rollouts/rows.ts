/** Rows for the tests of the rollouts view. */
import type { RolloutRow } from "../../../../src/ui/state/records.ts";

/** A completion of three tokens; anything may be set otherwise. */
export function row(change: Partial<RolloutRow> = {}): RolloutRow {
  return {
    step: 1,
    group: 0,
    id: 0,
    problem: "sum/1",
    task: "sum",
    prompt: "1 + 1 =",
    answer: "2",
    completion: "It is 2",
    tokens: 3,
    token_texts: ["It", " is", " 2"],
    logprobs: [-0.1, -2, 0],
    entropies: [],
    ratios: [],
    versions: [0, 0, 0],
    policy_versions: [0, 0],
    finish_reason: "stop",
    advantage: null,
    reward: 1,
    rewards: { accuracy: 1 },
    correct: 1,
    verdicts: [],
    ...change,
  };
}

/** Whole groups of four, `groups` a step, with rewards 0, 1, 2, 3 in order of arrival. */
export function run(steps: number, groups: number): RolloutRow[] {
  const rows: RolloutRow[] = [];
  for (let step = 1; step <= steps; step++)
    for (let g = 0; g < groups; g++)
      for (let k = 0; k < 4; k++) {
        const group = (step - 1) * groups + g;
        rows.push(row({ step, group, id: group * 4 + k, problem: `sum/${g}`, reward: k }));
      }
  return rows;
}
