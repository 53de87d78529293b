/** Rewarded groups for the trainer's tests, small and by number. */
import type { RewardedGroup, RewardedRollout } from "../../src/rollout.ts";

export interface RolloutSpec {
  reward: number | null;
  prompt?: number;
  length?: number;
  /** Of all tokens, or one each. */
  version?: number | number[];
  correct?: number | null;
  temperature?: number;
}

export function makeGroup(groupId: number, specs: readonly (RolloutSpec | number | null)[]): RewardedGroup {
  const problem = {
    id: `p${groupId}`,
    taskId: "test",
    prompt: "1 + 1 =",
    answer: "2",
    columns: {},
  };
  const rollouts = specs.map((spec, i): RewardedRollout => {
    const of = typeof spec === "object" && spec !== null ? spec : { reward: spec };
    const { reward, prompt = 3, length = 4, version = 0, correct = null, temperature = 1 } = of;
    const tokens = (count: number, from: number) => Uint32Array.from({ length: count }, (_, t) => from + t);
    return {
      id: groupId * 100 + i,
      groupId,
      problemId: problem.id,
      taskId: "test",
      promptTokens: tokens(prompt, 1000 * groupId),
      completionTokens: tokens(length, 1000 * groupId + 100 * (i + 1)),
      generatorLogprobs: Float32Array.from({ length }, (_, t) => -(i + 1) - t / 16),
      generatorEntropies: Float32Array.from({ length }, (_, t) => (i + 1) / 2 + t / 16),
      policyVersions: Int32Array.from({ length }, (_, t) =>
        typeof version === "number" ? version : version[t],
      ),
      temperature,
      finishReason: "stop",
      completion: "2",
      reward,
      rewards: { reward },
      correct,
      verdicts: [],
    };
  });
  return { groupId, problem, rollouts };
}
