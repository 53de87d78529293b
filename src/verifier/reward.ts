/** The shape of a built-in reward function and what it may use. */
import type { Problem } from "../rollout.ts";
import type { VerifierOptions } from "./api.ts";
import type { FormatCheck } from "./format.ts";
import type { LanguageIdentifier } from "./language.ts";

/** One completion as a reward function sees it. */
export interface RewardSample {
  problem: Problem;
  /** Decoded, special tokens included. */
  completion: string;
  /** The completion without the tokens that end a sequence. */
  text: string;
  /** (T) */
  tokens: Uint32Array;
}

export interface Score {
  /** null: not judged. */
  reward: number | null;
  /** Absent where the function does not judge correctness. */
  correct?: boolean;
  extracted?: string;
  expected?: string;
  /** The comparison that decided, in words. */
  reason?: string;
}

/** An answer judged against the problem's. `correct` is null where that was impossible. */
export interface Judgement {
  correct: boolean | null;
  expected: string;
  reason: string;
}

export type ResolvedOptions = Required<Omit<VerifierOptions, "rewardModule" | "weights">>;

export interface RewardContext {
  options: ResolvedOptions;
  checkFormat(text: string): FormatCheck;
  judge(problem: Problem, answer: string): Promise<Judgement>;
  language: LanguageIdentifier;
}

export type BuiltInReward = (sample: RewardSample, context: RewardContext) => Score | Promise<Score>;

/** A reward could not be given for a reason that is counted; the sample's reward is null. */
export class RewardFailure extends Error {
  readonly kind: "timeout" | "exception";
  readonly code: string;
  constructor(kind: "timeout" | "exception", code: string, message: string) {
    super(message);
    this.name = "RewardFailure";
    this.kind = kind;
    this.code = code;
  }
}
