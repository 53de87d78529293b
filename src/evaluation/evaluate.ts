/**
 * Evaluation on held-out problems: encodes them, has them answered and graded, and sums up. Knows neither generator nor
 * verifier, only two functions that stand for them; pure otherwise, so the page and the command line share it.
 */
import { DataError } from "../errors.ts";
import type { Problem, PromptTokens, RewardedGroup, RewardedRollout, Rollout } from "../rollout.ts";
import { encodePrompts, type PromptEncoder } from "../text/prompt_tokens.ts";
import { majAtK, normaliseVote, passAtK, type Vote } from "./pass_at_k.ts";

/** A problem with its completions, ready to be graded. */
export interface AnsweredProblem {
  problem: Problem;
  rollouts: Rollout[];
  /** Decoded, special tokens included, in the order of `rollouts`. */
  completions: string[];
}

export interface EvaluationRequest {
  problems: readonly Problem[];
  /** Completions of each problem. */
  samples: number;
  encoder: PromptEncoder;
  /** Longest prompt that fits; longer ones are refused by number. */
  maxPromptTokens?: number;
  /** Answers each prompt `samples` times, in order. */
  generate(prompts: PromptTokens[], samples: number): Promise<Rollout[][]>;
  /** Grades answered problems, in order. */
  score(groups: AnsweredProblem[]): Promise<RewardedGroup[]>;
  /** Refuse the whole evaluation where a row cannot be encoded, instead of leaving it out. Default false. */
  strict?: boolean;
}

export interface ProblemResult {
  problem: Problem;
  rollouts: RewardedRollout[];
  /** Completions judged right. */
  right: number;
  /** Completions judged right or wrong; the rest (time-outs, exceptions) count as wrong in pass@k. */
  judged: number;
}

/** A problem left out: `row` counts from 1 within the problems given. */
export interface RefusedRow {
  row: number;
  id: string;
  reason: string;
}

export interface EvaluationResult {
  /**
   * `pass@1`, `pass@2`, … and `maj@…` by powers of two up to the number of samples (absent where nothing was judged),
   * `reward`, `mean_length` (tokens), `clipped_ratio` (share cut off), `format` (absent where no reward looks at it),
   * `unscored` (share of completions without a reward).
   */
  metrics: Record<string, number>;
  problems: number;
  samples: number;
  completions: number;
  /** Tokens of all completions. */
  generatedTokens: number;
  perProblem: ProblemResult[];
  refused: RefusedRow[];
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Lists 1, 2, 4, … below `samples`, and `samples` itself. */
export function reportedK(samples: number): number[] {
  const powers = Array.from({ length: 31 }, (_, i) => 2 ** i).filter((k) => k < samples);
  return [...powers, samples];
}

/** Tells whether a completion had the wanted form; null where no reward function looked. */
function formatOf(rollout: RewardedRollout): boolean | null {
  const { format } = rollout.rewards;
  if (typeof format === "number") return format > 0;
  const verdict = rollout.verdicts.find(({ name, reward }) => name === "magistral" && reward !== null);
  return verdict ? verdict.extracted !== undefined : null;
}

function voteOf(rollout: RewardedRollout): Vote {
  const found = rollout.verdicts.find(({ extracted }) => extracted !== undefined)?.extracted;
  return { answer: normaliseVote(found), correct: rollout.correct === 1 };
}

/**
 * Sums up graded problems.
 * @throws RangeError where a problem has not exactly `samples` completions.
 */
export function summarise(
  groups: readonly RewardedGroup[],
  samples: number,
  refused: RefusedRow[] = [],
): EvaluationResult {
  const perProblem = groups.map(({ problem, rollouts }): ProblemResult => {
    if (rollouts.length !== samples) {
      throw new RangeError(`problem ${problem.id} has ${rollouts.length} completions, not ${samples}`);
    }
    const judged = rollouts.filter(({ correct }) => correct !== null).length;
    return { problem, rollouts, judged, right: rollouts.filter(({ correct }) => correct === 1).length };
  });
  const rollouts = perProblem.flatMap((result) => result.rollouts);
  const metrics: Record<string, number> = {};
  const judgedProblems = perProblem.filter(({ judged }) => judged > 0);
  if (judgedProblems.length > 0) {
    const votes = judgedProblems.map((result) => result.rollouts.map(voteOf));
    const ks = reportedK(samples);
    for (const k of ks)
      metrics[`pass@${k}`] = mean(judgedProblems.map(({ right }) => passAtK(samples, right, k)));
    for (const k of ks)
      if (k > 1 || ks.length === 1) metrics[`maj@${k}`] = mean(votes.map((v) => majAtK(v, k)));
  }
  const lengths = rollouts.map(({ completionTokens }) => completionTokens.length);
  const rewards = rollouts.map(({ reward }) => reward).filter((reward) => reward !== null);
  if (rewards.length > 0) metrics.reward = mean(rewards);
  metrics.mean_length = mean(lengths);
  metrics.clipped_ratio = mean(rollouts.map(({ finishReason }) => (finishReason === "length" ? 1 : 0)));
  const formats = rollouts.map(formatOf).filter((format) => format !== null);
  if (formats.length > 0) metrics.format = mean(formats.map((ok) => (ok ? 1 : 0)));
  metrics.unscored = mean(rollouts.map(({ reward }) => (reward === null ? 1 : 0)));
  return {
    metrics,
    problems: perProblem.length,
    samples,
    completions: rollouts.length,
    generatedTokens: lengths.reduce((sum, length) => sum + length, 0),
    perProblem,
    refused,
  };
}

function refusal(refused: readonly RefusedRow[], problems: number): DataError {
  const [{ row, reason }] = refused;
  const found = `row ${row}: ${reason}`;
  const message = `Cannot evaluate ${refused.length} of ${problems} problems, ${found}`;
  return new DataError("evaluation/unencodable", message, {
    hint: "Leave these rows out, or evaluate a model whose tokenizer has all their characters.",
  });
}

/**
 * Answers and grades every problem that the policy's tokenizer can encode; the others are named in `refused`.
 * @throws DataError where none can be encoded, or any cannot and `strict` is set.
 */
export async function evaluate(request: EvaluationRequest): Promise<EvaluationResult> {
  const { problems, samples, encoder, generate, score } = request;
  if (!(Number.isInteger(samples) && samples >= 1))
    throw new RangeError(`samples is ${samples}, not 1 or more`);
  const encoded = encodePrompts(problems, encoder, request.maxPromptTokens);
  const refused = encoded.refused.map(({ index, problem, reason }) => ({
    row: index + 1,
    id: problem.id,
    reason,
  }));
  if (refused.length > 0 && (request.strict || encoded.prompts.length === 0)) {
    throw refusal(refused, problems.length);
  }
  const answers = encoded.prompts.length === 0 ? [] : await generate(encoded.prompts, samples);
  if (answers.length !== encoded.prompts.length) {
    throw new RangeError(`generate answered ${answers.length} of ${encoded.prompts.length} prompts`);
  }
  const answered = encoded.prompts.map(({ problem }, i) => ({
    problem,
    rollouts: answers[i],
    completions: answers[i].map(({ completionTokens }) => encoder.tokenizer.decode(completionTokens)),
  }));
  const groups = answered.length === 0 ? [] : await score(answered);
  return summarise(groups, samples, refused);
}
