/**
 * The records that travel the loop: a problem from a task, a rollout from a generator, a verdict from a verifier.
 * Every stage may import this file; it knows no stage. Typed arrays are transferred between workers, never cloned.
 */

export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
}
/** Text (no chat template is applied) or messages (the template is applied). */
export type Prompt = string | Message[];

/** One problem of a task, with all that is needed to grade an answer to it. */
export interface Problem {
  /** Stable within the task: the same problem always has the same id. */
  id: string;
  /** The task it came from. */
  taskId: string;
  prompt: Prompt;
  /** The right answer as text; null where only a reward function knows. */
  answer: string | null;
  /** The data set's further columns, handed to reward functions. */
  columns: Record<string, unknown>;
}

/** A problem rendered for one policy. */
export interface PromptTokens {
  problem: Problem;
  /** (T) ids, never empty. */
  tokens: Uint32Array;
}

export type FinishReason = "stop" | "length";

/** One completion with its per-token record. T = completion length, the end-of-sequence token included. */
export interface Rollout {
  /** Keys the random numbers: unique within a run. */
  id: number;
  groupId: number;
  problemId: string;
  taskId: string;
  promptTokens: Uint32Array;
  /** (T) */
  completionTokens: Uint32Array;
  /** (T) natural log of the probability each token was sampled with, after temperature and filters. */
  generatorLogprobs: Float32Array;
  /** (T) nats, of the distribution each token was drawn from. */
  generatorEntropies: Float32Array;
  /** (T) the policy version that sampled each token. */
  policyVersions: Int32Array;
  /** What its tokens were sampled at, and its log-probabilities are of. */
  temperature: number;
  finishReason: FinishReason;
}

/** Why a reward function gave what it gave. */
export interface Verdict {
  /** The reward function's name. */
  name: string;
  /** null: could not be scored (time-out, exception); left out of the sum. */
  reward: number | null;
  /** What was found in the completion, if the function looks for something. */
  extracted?: string;
  expected?: string;
  /** The comparison that decided, in words. */
  reason?: string;
  /** Milliseconds spent. */
  ms: number;
}

/** A rollout with its reward. */
export interface RewardedRollout extends Rollout {
  /** The decoded completion, special tokens included. */
  completion: string;
  /** null: no reward function could score it; it is left out of its group's baseline. */
  reward: number | null;
  /** By reward function; unweighted. */
  rewards: Record<string, number | null>;
  /** 1 or 0 where correctness was judged, else null. */
  correct: number | null;
  verdicts: Verdict[];
}

/** The G completions of one prompt. */
export interface RewardedGroup {
  groupId: number;
  problem: Problem;
  rollouts: RewardedRollout[];
}
