/**
 * What other stages know of the verifier: its options, the groups it scores, and the shape of a user's reward function,
 * which is TRL's so that a reward moves between both with its names unchanged.
 */
import type { TraceSpan } from "../metrics/trace.ts";
import type { Message, Problem, Prompt, RewardedGroup, Rollout } from "../rollout.ts";

/** Where the training run stands; TRL's names. */
export interface TrainerState {
  global_step: number;
  max_steps?: number;
  epoch?: number;
}

/** What a user's reward function is called with, once per group; every list has one entry per completion. */
export interface RewardArgs {
  prompts: Prompt[];
  /** Text where the prompt is text, else one assistant message; end-of-sequence tokens are cut off. */
  completions: (string | Message[])[];
  completion_ids: Uint32Array[];
  /** The data set's columns (`answer` included), also spread beside this field. */
  columns: Record<string, unknown[]>;
  trainer_state: TrainerState;
  /** Adds a column to the completions table. */
  log_extra(column: string, values: unknown[]): void;
  /** Adds a scalar to the step's metrics. */
  log_metric(name: string, value: number): void;
  [column: string]: unknown;
}

/** A user's reward function: one finite number or null (not judged) per completion. */
export type RewardFunction = (args: RewardArgs) => (number | null)[] | Promise<(number | null)[]>;

/** Names a data set's column must not have, for the argument object has them already. */
export const RESERVED_COLUMNS: readonly string[] = [
  "prompts",
  "completions",
  "completion_ids",
  "columns",
  "trainer_state",
  "log_extra",
  "log_metric",
];

export interface VerifierOptions {
  /** Built-in reward functions, or exports of the reward module, by name. */
  rewards: string[];
  /** One per entry of `rewards`; empty for 1 each. */
  weights?: number[];
  /** URL or path of the user's module; if `rewards` names none of its functions, all are used with weight 1. */
  rewardModule?: string | null;
  /** Milliseconds one completion may take before its reward is null; 500 by default. */
  timeoutMs?: number;
  /** Tokens at which the length penalty is full (l_max). */
  lengthMax: number;
  /** Tokens over which it grows (l_cache); 0 is off. */
  lengthCache: number;
  /** Whether `magistral` adds 0.1 for one language throughout. */
  languageBonus?: boolean;
  /** Magistral demands that all three parts agree: `fail` counts a part too short to tell as disagreeing. */
  languageUnknown?: "fail" | "ignore";
  /** The prompt already ends with the opening think tag. */
  thinkPrefilled?: boolean;
  thinkOpen?: string;
  thinkClose?: string;
  /** Texts of tokens that end a sequence, cut off the end of completions. */
  endTokens?: string[];
  /** Computer algebra for what the own rules cannot decide; true by default. */
  symbolic?: boolean;
  repetition?: { ngram?: number; maxPenalty?: number };
  cosine?: {
    maxLength?: number;
    minWrong?: number;
    maxWrong?: number;
    minCorrect?: number;
    maxCorrect?: number;
  };
  digits?: { endToken?: string };
  /** Whether a Countdown expression must use every number; true by default. */
  countdown?: { useAll?: boolean };
}

/** A problem's completions on their way to the verifier. */
export interface GroupToScore {
  problem: Problem;
  rollouts: Rollout[];
  /** Decoded completions, special tokens included, in the order of `rollouts`. */
  completions: string[];
}

/** Counted since they were last taken. */
export interface VerifierCounters {
  scored: number;
  /** Rewards that became null because time ran out. */
  timeouts: number;
  /** Rewards that became null because something threw or answered nonsense. */
  exceptions: number;
  /** Workers and sandboxes that were killed and started again. */
  restarts: number;
  /** Means of what users' functions logged, by name. */
  userMetrics: Record<string, number>;
}

export interface VerifierReport {
  counters: VerifierCounters;
  /** A span for every group scored. */
  spans: TraceSpan[];
}

/** The API of `workers/verifier.ts`. */
export interface VerifierApi {
  /** @throws ConfigError for an unknown reward or an unusable reward module */
  configure(options: VerifierOptions): Promise<void>;
  score(groups: GroupToScore[], trainerState: TrainerState): Promise<RewardedGroup[]>;
  /** Since the last call. */
  takeReport(): VerifierReport;
}

/** Counters at zero. */
export const emptyCounters = (): VerifierCounters => ({
  scored: 0,
  timeouts: 0,
  exceptions: 0,
  restarts: 0,
  userMetrics: {},
});
