/** What a run writes down of its completions. */
import type { EvaluationResult } from "./evaluation/evaluate.ts";
import type { RewardedGroup } from "./rollout.ts";

/** An answer to show: the first completion of a held-out problem. */
export interface SampleCompletion {
  prompt: string;
  completion: string;
  reward: number | null;
  correct: number | null;
}

/** The first completions of the first five problems. */
export function samplesOf(result: EvaluationResult): SampleCompletion[] {
  return result.perProblem.slice(0, 5).map(({ problem, rollouts: [first] }) => ({
    prompt:
      typeof problem.prompt === "string"
        ? problem.prompt
        : problem.prompt.map(({ content }) => content).join("\n"),
    completion: first.completion,
    reward: first.reward,
    correct: first.correct,
  }));
}

/** Rows of rollouts.ndjson. */
export function rolloutRows(groups: readonly RewardedGroup[], step: number): Record<string, unknown>[] {
  return groups.flatMap(({ groupId, problem, rollouts }) =>
    rollouts.map((rollout) => ({
      step,
      group: groupId,
      id: rollout.id,
      problem: problem.id,
      prompt: problem.prompt,
      completion: rollout.completion,
      tokens: rollout.completionTokens.length,
      finish_reason: rollout.finishReason,
      policy_versions: [rollout.policyVersions[0], rollout.policyVersions[rollout.policyVersions.length - 1]],
      reward: rollout.reward,
      rewards: rollout.rewards,
      correct: rollout.correct,
      verdicts: rollout.verdicts,
    })),
  );
}
