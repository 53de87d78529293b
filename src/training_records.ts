/** What a run writes down of its completions. */
import type { EvaluationResult } from "./evaluation/evaluate.ts";
import type { FinishReason, Prompt, RewardedGroup, Verdict } from "./rollout.ts";

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

/** One row of rollouts.ndjson: a completion with everything that was recorded of it. T = completion length. */
export type RolloutRow = {
  /** The batch that trained on it. */
  step: number;
  group: number;
  id: number;
  problem: string;
  task: string;
  prompt: Prompt;
  answer: string | null;
  completion: string;
  /** T */
  tokens: number;
  /** (T) each token as text. */
  token_texts: string[];
  /** (T) log-probability each token was sampled with. */
  logprobs: number[];
  /** (T) entropy of the distribution each token was sampled from; empty where it was not recorded. */
  entropies: number[];
  /** (T) trainer's probability over the generator's, before the batch's first update; empty where it was not recorded. */
  ratios: number[];
  /** (T) policy version that sampled each token. */
  versions: number[];
  /** First and last of `versions`. */
  policy_versions: [number, number];
  finish_reason: FinishReason;
  advantage: number | null;
  reward: number | null;
  rewards: Record<string, number | null>;
  correct: number | null;
  verdicts: Verdict[];
};

const fourDigits = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toPrecision(4)));

/** What the trainer said of the batch: its rollouts in the order of the groups. */
export interface TrainedRecords {
  step: number;
  /** (M) */
  trainerLogprobs: Float32Array;
  /** (B) */
  advantages: Float32Array;
}

/** Rows of rollouts.ndjson. */
export function rolloutRows(
  groups: readonly RewardedGroup[],
  trained: TrainedRecords,
  tokenText: (id: number) => string,
): RolloutRow[] {
  const offered = groups.flatMap(({ problem, rollouts }) =>
    rollouts.map((rollout) => ({ problem, rollout })),
  );
  let at = 0;
  return offered.map(({ problem, rollout }, i) => {
    const { generatorLogprobs } = rollout;
    const trainer = trained.trainerLogprobs.subarray(at, at + generatorLogprobs.length);
    at += generatorLogprobs.length;
    return {
      step: trained.step,
      group: rollout.groupId,
      id: rollout.id,
      problem: problem.id,
      task: problem.taskId,
      prompt: problem.prompt,
      answer: problem.answer,
      completion: rollout.completion,
      tokens: rollout.completionTokens.length,
      token_texts: Array.from(rollout.completionTokens, tokenText),
      logprobs: fourDigits(generatorLogprobs),
      entropies: fourDigits(rollout.generatorEntropies),
      ratios: fourDigits(trainer.map((logprob, t) => Math.exp(logprob - generatorLogprobs[t]))),
      versions: Array.from(rollout.policyVersions),
      policy_versions: [rollout.policyVersions[0], rollout.policyVersions[rollout.policyVersions.length - 1]],
      finish_reason: rollout.finishReason,
      advantage: Number(trained.advantages[i].toPrecision(4)),
      reward: rollout.reward,
      rewards: rollout.rewards,
      correct: rollout.correct,
      verdicts: rollout.verdicts,
    };
  });
}
