/**
 * Scores groups in the calling thread: what a verifier worker runs, and what evaluation and tests call directly. Every
 * reward function is timed and caught on its own; what fails is null for one sample, with a code, and counted.
 */
import { ConfigError, WebgrpoError } from "../errors.ts";
import type { RewardedGroup, RewardedRollout, Verdict } from "../rollout.ts";
import {
  emptyCounters,
  type GroupToScore,
  type TrainerState,
  type VerifierCounters,
  type VerifierOptions,
} from "./api.ts";
import { checkFormat } from "./format.ts";
import { judgeAnswer, type SymbolicJudge } from "./judge.ts";
import { identifyLanguage } from "./language.ts";
import {
  type ResolvedOptions,
  type RewardContext,
  RewardFailure,
  type RewardSample,
  type Score,
} from "./reward.ts";
import { BUILT_IN_REWARDS } from "./rewards/registry.ts";
import { Sandbox } from "./sandbox.ts";
import { UserRewards, type UserScore } from "./user_rewards.ts";

/** Computer algebra is killed after this, whatever `timeoutMs` allows. */
export const SYMBOLIC_MS = 500;

interface NamedReward {
  name: string;
  weight: number;
  user: boolean;
}

export interface Scorer {
  /** Names of the reward functions, in the order of their weights. */
  readonly rewardNames: readonly string[];
  scoreGroup(group: GroupToScore, trainerState: TrainerState): Promise<RewardedGroup>;
  takeCounters(): VerifierCounters;
  dispose(): void;
}

export interface ScorerParts {
  /** Stands in for the sandboxed computer algebra; null: none. */
  symbolic?: SymbolicJudge | null;
}

/** Fills in the defaults. */
export function resolveOptions(options: VerifierOptions): ResolvedOptions {
  return {
    rewards: options.rewards,
    timeoutMs: options.timeoutMs ?? 500,
    lengthMax: options.lengthMax,
    lengthCache: options.lengthCache,
    languageBonus: options.languageBonus ?? false,
    languageUnknown: options.languageUnknown ?? "fail",
    thinkPrefilled: options.thinkPrefilled ?? false,
    thinkOpen: options.thinkOpen ?? "<think>",
    thinkClose: options.thinkClose ?? "</think>",
    endTokens: options.endTokens ?? [],
    symbolic: options.symbolic ?? true,
    repetition: options.repetition ?? {},
    cosine: options.cosine ?? {},
    digits: options.digits ?? {},
    countdown: options.countdown ?? {},
  };
}

function chooseRewards({ rewards, weights = [] }: VerifierOptions, user: UserRewards | null): NamedReward[] {
  const isUsers = (name: string) => user?.names.includes(name) ?? false;
  if (weights.length !== 0 && weights.length !== rewards.length) {
    throw new ConfigError(
      "verifier/weights",
      `Cannot weight ${rewards.length} rewards with ${weights.length} weights: one each is needed`,
      { hint: "Give as many `weights` as `rewards`, or none for 1 each" },
    );
  }
  const chosen = rewards.map((name, k): NamedReward => {
    if (!isUsers(name) && !Object.hasOwn(BUILT_IN_REWARDS, name)) {
      const known = [...Object.keys(BUILT_IN_REWARDS), ...(user?.names ?? [])].join(", ");
      throw new ConfigError(
        "verifier/unknown-reward",
        `Cannot use the reward "${name}": there are ${known}`,
        {
          hint: "Name a built-in reward, or set `rewardModule` to a module that exports the function",
        },
      );
    }
    return { name, weight: weights[k] ?? 1, user: isUsers(name) };
  });
  if (user && !chosen.some((reward) => reward.user)) {
    chosen.push(...user.names.map((name) => ({ name, weight: 1, user: true })));
  }
  if (chosen.length === 0) {
    throw new ConfigError(
      "verifier/no-reward",
      "Cannot score without a reward: the list of rewards is empty",
      {
        hint: `Name at least one of ${Object.keys(BUILT_IN_REWARDS).join(", ")}`,
      },
    );
  }
  return chosen;
}

/**
 * Prepares scoring; the user's module is loaded now, computer algebra and the language model at their first use.
 * @throws ConfigError for an unknown reward, wrong weights or an unusable reward module
 */
export async function createScorer(options: VerifierOptions, parts: ScorerParts = {}): Promise<Scorer> {
  const resolved = resolveOptions(options);
  const user = options.rewardModule ? await UserRewards.load(options.rewardModule, resolved.timeoutMs) : null;
  let rewards: NamedReward[];
  try {
    rewards = chooseRewards(options, user);
  } catch (error) {
    user?.dispose();
    throw error;
  }
  return new GroupScorer(resolved, rewards, user, parts);
}

class GroupScorer implements Scorer {
  readonly #options: ResolvedOptions;
  readonly #rewards: NamedReward[];
  readonly #user: UserRewards | null;
  readonly #sandbox: Sandbox | null;
  readonly #context: RewardContext;
  #counters = emptyCounters();
  #restartsTaken = 0;

  constructor(
    options: ResolvedOptions,
    rewards: NamedReward[],
    user: UserRewards | null,
    parts: ScorerParts,
  ) {
    this.#options = options;
    this.#rewards = rewards;
    this.#user = user;
    const wanted = options.symbolic && parts.symbolic === undefined && Sandbox.available;
    const sandbox = wanted ? new Sandbox("computer algebra", (api) => api.warmSymbolic()) : null;
    this.#sandbox = sandbox;
    const limit = Math.min(SYMBOLIC_MS, options.timeoutMs);
    const symbolic: SymbolicJudge | null = sandbox
      ? (expected, found) => sandbox.run(limit, (api) => api.equalSymbolically(expected, found))
      : (parts.symbolic ?? null);
    const format = {
      thinkOpen: options.thinkOpen,
      thinkClose: options.thinkClose,
      prefilledThink: options.thinkPrefilled,
    };
    this.#context = {
      options,
      checkFormat: (text) => checkFormat(text, format),
      judge: (problem, answer) =>
        judgeAnswer(problem, answer, { symbolic, useAllNumbers: options.countdown.useAll ?? true }),
      language: identifyLanguage,
    };
  }

  get rewardNames(): readonly string[] {
    return this.#rewards.map((reward) => reward.name);
  }

  async scoreGroup(group: GroupToScore, trainerState: TrainerState): Promise<RewardedGroup> {
    const { problem, rollouts, completions } = group;
    if (completions.length !== rollouts.length) {
      throw new RangeError(
        `scoreGroup() got ${rollouts.length} rollouts and ${completions.length} completions`,
      );
    }
    const samples = rollouts.map(
      (rollout, k): RewardSample => ({
        problem,
        completion: completions[k],
        text: this.#withoutEnd(completions[k]),
        tokens: rollout.completionTokens,
      }),
    );
    const verdicts = samples.map((): Verdict[] => []);
    const correct = samples.map((): number | null => null);
    for (const reward of this.#rewards) {
      const scores = reward.user
        ? await this.#scoreByUser(reward.name, group, samples, trainerState)
        : await this.#scoreBuiltIn(reward.name, samples);
      scores.forEach(({ score, ms }, k) => {
        const { correct: right, ...rest } = score;
        verdicts[k].push({ name: reward.name, ...rest, ms });
        if (right !== undefined) correct[k] = right ? 1 : 0;
      });
    }
    this.#counters.scored += samples.length;
    return {
      groupId: rollouts[0]?.groupId ?? -1,
      problem,
      rollouts: rollouts.map(
        (rollout, k): RewardedRollout => ({
          ...rollout,
          completion: completions[k],
          ...this.#sum(verdicts[k]),
          correct: correct[k],
          verdicts: verdicts[k],
        }),
      ),
    };
  }

  #withoutEnd(completion: string): string {
    const end = this.#options.endTokens.find((token) => token !== "" && completion.endsWith(token));
    return end === undefined ? completion : completion.slice(0, -end.length);
  }

  /** The weighted sum of what was judged; null where nothing was. */
  #sum(verdicts: Verdict[]): { reward: number | null; rewards: Record<string, number | null> } {
    const rewards: Record<string, number | null> = {};
    let total: number | null = null;
    this.#rewards.forEach(({ name, weight }, k) => {
      const value = verdicts[k].reward;
      rewards[name] = value;
      if (value !== null) total = (total ?? 0) + weight * value;
    });
    return { reward: total, rewards };
  }

  async #scoreBuiltIn(name: string, samples: RewardSample[]): Promise<{ score: Score; ms: number }[]> {
    const scores: { score: Score; ms: number }[] = [];
    for (const sample of samples) {
      const from = performance.now();
      let score: Score;
      try {
        score = await BUILT_IN_REWARDS[name](sample, this.#context);
      } catch (error) {
        score = this.#failed(asFailure(error, name));
      }
      scores.push({ score, ms: performance.now() - from });
    }
    return scores;
  }

  async #scoreByUser(
    name: string,
    group: GroupToScore,
    samples: RewardSample[],
    trainerState: TrainerState,
  ): Promise<{ score: Score; ms: number }[]> {
    const from = performance.now();
    const texts = samples.map((sample) => sample.text);
    const scores: UserScore[] = (await this.#user?.score(name, group, texts, trainerState)) ?? [];
    const ms = (performance.now() - from) / Math.max(1, scores.length);
    return scores.map((score) => ({
      score: score instanceof RewardFailure ? this.#failed(score) : score,
      ms,
    }));
  }

  #failed(failure: RewardFailure): Score {
    if (failure.kind === "timeout") this.#counters.timeouts++;
    else this.#counters.exceptions++;
    return { reward: null, reason: `${failure.code}: ${failure.message}` };
  }

  takeCounters(): VerifierCounters {
    const restarts = (this.#sandbox?.restarts ?? 0) + (this.#user?.restarts ?? 0);
    const userMetrics: Record<string, number> = {};
    for (const [name, { sum, count }] of this.#user?.metrics ?? []) userMetrics[name] = sum / count;
    this.#user?.metrics.clear();
    const taken = { ...this.#counters, restarts: restarts - this.#restartsTaken, userMetrics };
    this.#restartsTaken = restarts;
    this.#counters = emptyCounters();
    return taken;
  }

  dispose(): void {
    this.#sandbox?.dispose();
    this.#user?.dispose();
  }
}

function asFailure(error: unknown, name: string): RewardFailure {
  if (error instanceof RewardFailure) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const code = error instanceof WebgrpoError ? error.code : "verifier/reward-threw";
  return new RewardFailure("exception", code, `${name} threw ${message}`);
}
