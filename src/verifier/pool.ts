/**
 * A pool of verifier workers. Groups are scored side by side and handed back as they finish. A worker that dies, or passes
 * its deadline, is replaced; its group is scored again one completion at a time, so that only the completions nobody could
 * score come back with null. Rollouts stay on this side: a dead worker takes none of them with it.
 */
import { WorkerError } from "../errors.ts";
import { slicesOn, type TraceEvent } from "../metrics/trace.ts";
import type { RewardedGroup, RewardedRollout } from "../rollout.ts";
import { type Connection, connect } from "../rpc/connect.ts";
import {
  emptyCounters,
  type GroupToScore,
  type TrainerState,
  type VerifierApi,
  type VerifierCounters,
  type VerifierOptions,
} from "./api.ts";
import { moduleUrl } from "./user_rewards.ts";

export interface VerifierPoolOptions {
  workers: number;
  options: VerifierOptions;
  /** Milliseconds a worker may take for one group before it counts as hung; by default one minute and what the rewards may take. */
  deadlineMs?: number;
  /** Groups that may wait; 4096 by default. */
  capacity?: number;
  /** What the workers scored when. */
  onTrace?(events: TraceEvent[]): void;
  /** Starts a worker; another entry than `workers/verifier.ts` for tests. */
  spawn?: () => Worker;
}

interface Job {
  group: GroupToScore;
  trainerState: TrainerState;
  resolve(group: RewardedGroup): void;
  reject(error: unknown): void;
}

/** A group that killed this many workers in a row is given up. */
const MAX_DEATHS = 2;
const NONE = { u32: new Uint32Array(0), f32: new Float32Array(0), i32: new Int32Array(0) };

const spawnVerifier = (): Worker =>
  new Worker(new URL("../../workers/verifier.ts", import.meta.url), { type: "module" });

/** What a worker needs of a group: the tokens of the completions, copied, and no other per-token record. */
function travelling(group: GroupToScore): GroupToScore {
  const light = {
    promptTokens: NONE.u32,
    generatorLogprobs: NONE.f32,
    generatorEntropies: NONE.f32,
    policyVersions: NONE.i32,
  };
  const { problem, rollouts, completions } = group;
  return { problem, completions, rollouts: rollouts.map((rollout) => ({ ...rollout, ...light })) };
}

/** Puts the per-token records back. */
function reunited(group: GroupToScore, rewarded: RewardedRollout[]): RewardedGroup {
  const { problem, rollouts } = group;
  return {
    groupId: rollouts[0]?.groupId ?? -1,
    problem,
    rollouts: rewarded.map((one, k) => ({ ...one, ...rollouts[k] })),
  };
}

export class VerifierPool {
  readonly #options: VerifierPoolOptions;
  readonly #slots: (Connection<VerifierApi> | null)[];
  readonly #idle: number[];
  readonly #waiting: Job[] = [];
  readonly #roomWaiters: (() => void)[] = [];
  #running = 0;
  /** Completions of the running groups. */
  #scoring = 0;
  #totals = emptyCounters();
  #since = emptyCounters();
  #disposed = false;

  private constructor(options: VerifierPoolOptions, slots: Connection<VerifierApi>[]) {
    this.#options = options;
    this.#slots = slots;
    this.#idle = slots.map((_, k) => k);
  }

  /**
   * Starts and configures all workers.
   * @throws ConfigError for an unknown reward or an unusable reward module; WorkerError where workers cannot start
   */
  static async create(options: VerifierPoolOptions): Promise<VerifierPool> {
    const { rewardModule } = options.options;
    const resolved = {
      ...options,
      options: { ...options.options, rewardModule: rewardModule ? moduleUrl(rewardModule) : null },
    };
    const starts = await Promise.allSettled(
      Array.from({ length: options.workers }, (_, k) => openWorker(resolved, k)),
    );
    const opened = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
    for (const start of starts) {
      if (start.status === "rejected") {
        for (const connection of opened) connection.dispose();
        throw start.reason;
      }
    }
    return new VerifierPool(resolved, opened);
  }

  /** Groups that wait or are being scored. */
  get pending(): number {
    return this.#waiting.length + this.#running;
  }

  /** Completions of those groups. */
  get pendingCompletions(): number {
    return this.#waiting.reduce((sum, { group }) => sum + group.completions.length, this.#scoring);
  }

  /** Counted since the pool was made. */
  get counters(): Readonly<VerifierCounters> {
    return this.#totals;
  }

  /** Counted since this was last called. */
  takeCounters(): VerifierCounters {
    const taken = this.#since;
    this.#since = emptyCounters();
    return taken;
  }

  /** Resolves as soon as no more than two groups wait for each worker. */
  async room(): Promise<void> {
    while (this.#waiting.length > 2 * this.#slots.length) {
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  /**
   * Scores a group; resolves when it is done, whichever groups came before.
   * @throws DataError for a column with a reserved name; WorkerError `verifier/overrun` beyond the capacity, or where no worker can start
   */
  score(group: GroupToScore, trainerState: TrainerState): Promise<RewardedGroup> {
    if (this.#disposed) return Promise.reject(disposedError());
    const { capacity = 4096 } = this.#options;
    if (this.#waiting.length >= capacity) {
      const message = `Cannot queue another group for the verifiers: ${capacity} wait already`;
      return Promise.reject(
        new WorkerError("verifier/overrun", message, {
          hint: "Await room() before score(), or add verifier workers",
        }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group, trainerState, resolve, reject });
      this.#next();
    });
  }

  /** Terminates all workers; groups that are not done reject. */
  dispose(): void {
    this.#disposed = true;
    for (const connection of this.#slots) connection?.dispose();
    for (const job of this.#waiting.splice(0)) job.reject(disposedError());
    for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const slot = this.#idle.shift() as number;
      const job = this.#waiting.shift() as Job;
      const { length } = job.group.completions;
      this.#running++;
      this.#scoring += length;
      this.#scoreOn(slot, job)
        .then(job.resolve, job.reject)
        .finally(() => {
          this.#running--;
          this.#scoring -= length;
          this.#idle.push(slot);
          this.#next();
        });
    }
    for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  async #scoreOn(slot: number, { group, trainerState }: Job): Promise<RewardedGroup> {
    const sent = travelling(group);
    const together = await this.#attempt(slot, sent, trainerState);
    if (!("failure" in together)) return reunited(group, together.rollouts);
    // Somewhere in this group is what killed the worker: find it completion by completion.
    const rollouts: RewardedRollout[] = [];
    let { failure } = together;
    let deaths = 1;
    for (let k = 0; k < sent.rollouts.length; k++) {
      const single = { ...sent, rollouts: [sent.rollouts[k]], completions: [sent.completions[k]] };
      const alone =
        sent.rollouts.length === 1 || deaths > MAX_DEATHS
          ? { failure }
          : await this.#attempt(slot, single, trainerState);
      if ("failure" in alone) {
        failure = alone.failure;
        deaths++;
        rollouts.push(this.#unscored(single, failure));
      } else rollouts.push(alone.rollouts[0]);
    }
    return reunited(group, rollouts);
  }

  /** One call to the slot's worker. A worker that fails is replaced at the next attempt. */
  async #attempt(
    slot: number,
    group: GroupToScore,
    trainerState: TrainerState,
  ): Promise<RewardedGroup | { failure: WorkerError }> {
    const connection = await this.#worker(slot);
    const { options, deadlineMs } = this.#options;
    const perReward = group.completions.length * (options.timeoutMs ?? 500) * 3;
    const deadline = deadlineMs ?? 60_000 + perReward * (options.rewards.length + 1);
    try {
      const [rewarded] = await connection.within(deadline).score([group], trainerState);
      const { counters, spans } = await connection.within(deadline).takeReport();
      this.#count(counters);
      this.#options.onTrace?.(slicesOn(`verifier ${slot}`, spans));
      return rewarded;
    } catch (error) {
      if (this.#disposed) throw disposedError();
      const hung = error instanceof WorkerError && error.code === "worker/deadline";
      if (!hung && !connection.terminated) throw error;
      connection.dispose();
      this.#slots[slot] = null;
      const failure = error instanceof WorkerError ? error : new WorkerError("worker/died", String(error));
      this.#count({ ...emptyCounters(), restarts: 1 });
      return { failure };
    }
  }

  async #worker(slot: number): Promise<Connection<VerifierApi>> {
    const present = this.#slots[slot];
    if (present && !present.terminated) return present;
    if (this.#disposed) throw disposedError();
    // One that died between two groups has not been counted yet.
    if (present) this.#count({ ...emptyCounters(), restarts: 1 });
    this.#slots[slot] = null;
    const opened = await openWorker(this.#options, slot);
    if (this.#disposed) {
      opened.dispose();
      throw disposedError();
    }
    this.#slots[slot] = opened;
    return opened;
  }

  #unscored(single: GroupToScore, failure: WorkerError): RewardedRollout {
    const timedOut = failure.code === "worker/deadline";
    this.#count({ ...emptyCounters(), timeouts: timedOut ? 1 : 0, exceptions: timedOut ? 0 : 1 });
    const reason = `${failure.code}: ${failure.message}`;
    const names = this.#options.options.rewards;
    return {
      ...single.rollouts[0],
      completion: single.completions[0],
      reward: null,
      rewards: Object.fromEntries(names.map((name) => [name, null])),
      correct: null,
      verdicts: names.map((name) => ({ name, reward: null, reason, ms: 0 })),
    };
  }

  #count(more: VerifierCounters): void {
    for (const counters of [this.#totals, this.#since]) {
      counters.scored += more.scored;
      counters.timeouts += more.timeouts;
      counters.exceptions += more.exceptions;
      counters.restarts += more.restarts;
      Object.assign(counters.userMetrics, more.userMetrics);
    }
  }
}

async function openWorker(options: VerifierPoolOptions, slot: number): Promise<Connection<VerifierApi>> {
  const worker = (options.spawn ?? spawnVerifier)();
  const connection = await connect<VerifierApi>(worker, { name: `verifier ${slot}` });
  try {
    await connection.within(60_000).configure(options.options);
    return connection;
  } catch (error) {
    connection.dispose();
    throw error;
  }
}

const disposedError = (): WorkerError =>
  new WorkerError("verifier/disposed", "Cannot score: the pool of verifiers was disposed of", {
    hint: "Make a new pool",
  });
