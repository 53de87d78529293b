/**
 * A user's reward module, run in a sandbox: called once per group; where that throws or hangs, once per completion, so
 * that one bad sample costs one reward. What comes back is checked entry by entry.
 */
import { ConfigError, DataError } from "../errors.ts";
import type { GroupToScore, TrainerState } from "./api.ts";
import { RewardFailure, type Score } from "./reward.ts";
import { Sandbox } from "./sandbox.ts";
import { reservedColumn, type WireArgs, type WireResult } from "./user_module.ts";

/** After so many time-outs in one group its other completions are not tried any more. */
const MAX_TIMEOUTS = 2;

/** A score, or why there is none. */
export type UserScore = Score | RewardFailure;

/** An absolute URL for a URL or a path from the working directory (in a page: from the page). */
export function moduleUrl(path: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(path)) return path;
  const { process: node, location } = globalThis as {
    process?: { cwd?(): string };
    location?: { href: string };
  };
  const escaped = encodeURI(path.replace(/\\/g, "/")).replace(/[?#]/g, encodeURIComponent);
  const folder = node?.cwd?.().replace(/\\/g, "/");
  if (folder === undefined) return new URL(escaped, location?.href).href;
  const base = `file://${folder.startsWith("/") ? "" : "/"}${encodeURI(folder).replace(/[?#]/g, encodeURIComponent)}/`;
  return new URL(/^[a-z]:/i.test(path) ? `file:///${escaped}` : escaped, base).href;
}

export class UserRewards {
  readonly #sandbox: Sandbox;
  readonly #timeoutMs: number;
  readonly names: readonly string[];
  /** What the functions logged: sums and counts by name. */
  readonly metrics = new Map<string, { sum: number; count: number }>();

  private constructor(sandbox: Sandbox, names: readonly string[], timeoutMs: number) {
    this.#sandbox = sandbox;
    this.names = names;
    this.#timeoutMs = timeoutMs;
  }

  get restarts(): number {
    return this.#sandbox.restarts;
  }

  /**
   * Loads the module in a sandbox of its own.
   * @throws ConfigError `verifier/reward-module` or `verifier/reward-not-function`
   */
  static async load(path: string, timeoutMs: number): Promise<UserRewards> {
    const url = moduleUrl(path);
    let names: string[] = [];
    const sandbox = new Sandbox("reward module", async (api) => {
      names = await api.loadRewards(url);
    });
    try {
      if (!Sandbox.available) throw new Error("this runtime has no workers");
      await sandbox.start();
    } catch (cause) {
      sandbox.dispose();
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigError("verifier/reward-module", `Cannot load the reward module ${path}: ${message}`, {
        hint: "Set `verifier.rewardModule` to a file that exports reward functions and loads without errors",
        cause,
      });
    }
    if (names.length === 0) {
      sandbox.dispose();
      throw new ConfigError("verifier/reward-not-function", `The reward module ${path} exports no function`, {
        hint: "Export at least one function that takes { prompts, completions, … } and returns a number per completion",
      });
    }
    return new UserRewards(sandbox, names, timeoutMs);
  }

  /**
   * The scores of one function for a group, in the order of its completions.
   * @throws DataError where a column of the problem has a reserved name
   */
  async score(
    name: string,
    group: GroupToScore,
    texts: string[],
    trainerState: TrainerState,
  ): Promise<UserScore[]> {
    const { prompt: _prompt, completion: _completion, ...rest } = group.problem.columns;
    const columns =
      "answer" in rest || group.problem.answer === null ? rest : { ...rest, answer: group.problem.answer };
    const reserved = reservedColumn(columns);
    if (reserved !== undefined) {
      throw new DataError(
        "verifier/reserved-column",
        `Cannot hand the column "${reserved}" of problem ${group.problem.id} to the reward ${name}: the name is reserved`,
        { hint: `Rename the column "${reserved}" in the data set` },
      );
    }
    const wire: WireArgs = {
      prompt: group.problem.prompt,
      completions: texts,
      completionIds: group.rollouts.map((rollout) => rollout.completionTokens),
      columns,
      trainerState,
    };
    const together = await this.#call(name, wire, texts.length);
    if (!(together instanceof RewardFailure)) return together;
    if (together.code === "verifier/reward-length" || texts.length === 1) return texts.map(() => together);
    const scores: UserScore[] = [];
    let timeouts = 0;
    for (let k = 0; k < texts.length; k++) {
      if (timeouts >= MAX_TIMEOUTS) {
        scores.push(together);
        continue;
      }
      const alone = await this.#call(
        name,
        { ...wire, completions: [texts[k]], completionIds: [wire.completionIds[k]] },
        1,
      );
      if (alone instanceof RewardFailure && alone.kind === "timeout") timeouts++;
      scores.push(alone instanceof RewardFailure ? alone : alone[0]);
    }
    return scores;
  }

  async #call(name: string, wire: WireArgs, count: number): Promise<UserScore[] | RewardFailure> {
    let result: WireResult;
    try {
      result = await this.#sandbox.run(this.#timeoutMs * count, (api) => api.callReward(name, wire));
    } catch (error) {
      if (error instanceof RewardFailure) return error;
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return new RewardFailure("exception", "verifier/reward-threw", `${name} threw ${message}`);
    }
    for (const [metric, value] of result.metrics) {
      const seen = this.metrics.get(metric) ?? { sum: 0, count: 0 };
      this.metrics.set(metric, { sum: seen.sum + value, count: seen.count + 1 });
    }
    const values = asList(result.values);
    if (values === null || values.length !== count) {
      const found = values === null ? `a ${typeof result.values}` : `${values.length} values`;
      const message = `${name} returned ${found} for ${count} completions`;
      return new RewardFailure("exception", "verifier/reward-length", message);
    }
    const remarks = Object.entries(result.extra).filter(([, column]) => column.length === count);
    return values.map((value, k) => {
      const reason = remarks.map(([column, entries]) => `${column}: ${String(entries[k])}`).join("; ");
      if (value === null || value === undefined) return { reward: null, reason: reason || "not judged" };
      if (typeof value === "number" && Number.isFinite(value))
        return { reward: value, reason: reason || undefined };
      const found = typeof value === "number" ? String(value) : `a ${typeof value}`;
      return new RewardFailure("exception", "verifier/reward-not-finite", `${name} returned ${found}`);
    });
  }

  dispose(): void {
    this.#sandbox.dispose();
  }
}

function asList(values: unknown): unknown[] | null {
  if (Array.isArray(values)) return values;
  return ArrayBuffer.isView(values) && !(values instanceof DataView)
    ? Array.from(values as unknown as ArrayLike<unknown>)
    : null;
}
